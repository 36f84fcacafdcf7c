"""Fine-tunes a cross-encoder that says whether two prompts want the same answer, and reports on unseen authors."""

import argparse
import random
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from encoder import encode, load_base, logits, new_head
from noise import noisy
from pairs import CALIBRATE, REPORT, TRAIN, Pair, all_pairs, written_pairs
from safetensors.numpy import save_file

LONGEST = 160  # tokens of both prompts
WORDS = "embeddings.word_embeddings.weight"  # stays as it is: words that no author used keep their neighbours
NOISY_SHARE = 0.35
REPEATED_SHARE = 0.06
EPOCH_SHARE = 0.5  # of all pairs: many of a group's pairs have a prompt in common
FALSE_SHARES = (0.0, 0.005, 0.01, 0.02, 0.05)


def encoded(tokenizer, pairs):
    both = tokenizer.encode_batch([(pair.first, pair.second) for pair in pairs])
    return [(np.array(one.ids[:LONGEST]), np.array(one.type_ids[:LONGEST])) for one in both]


def batches(examples, size):
    """(ids, types, mask, places) of pairs of about equal length, in random order. The last batch may have empty rows."""
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i][0]) // 8, random.random()))
    chunks = [order[at : at + size] for at in range(0, len(order), size)]
    random.shuffle(chunks)
    for chunk in chunks:
        length = -(-max(len(examples[i][0]) for i in chunk) // 16) * 16
        ids, types, mask = (np.zeros((size, length), np.int32) for _ in range(3))
        for row, i in enumerate(chunk):
            tokens, prompt = examples[i]
            ids[row, : len(tokens)], types[row, : len(tokens)], mask[row, : len(tokens)] = tokens, prompt, 1
        yield ids, types, mask, chunk


def flipped(pair: Pair) -> Pair:
    return Pair(pair.second, pair.first, pair.is_same, pair.kind, pair.author)


score = jax.jit(logits)


def scores_of(weights, tokenizer, pairs):
    """The mean over both orders of the prompts."""
    result = np.zeros(len(pairs))
    for order in (pairs, [flipped(pair) for pair in pairs]):
        for ids, types, mask, places in batches(encoded(tokenizer, order), 64):
            result[places] += np.asarray(score(weights, ids, types, mask))[: len(places)] / 2
    return result


def token_vectors(weights, tokenizer, texts):
    """The contextual vectors of each text's tokens, of length 1, without the marks at both ends."""
    weights = jax.tree.map(jnp.asarray, weights)
    vectors_of = jax.jit(lambda weights, ids, mask: encode(weights, ids, jnp.zeros_like(ids), mask))
    ids = [np.array(one.ids[:LONGEST]) for one in tokenizer.encode_batch(texts)]
    result = [None] * len(texts)
    for batch, _, mask, places in batches([(own, np.zeros_like(own)) for own in ids], 64):
        for row, place in zip(np.asarray(vectors_of(weights, batch, mask)), places, strict=False):
            own = row[1 : len(ids[place]) - 1]
            result[place] = own / np.linalg.norm(own, axis=1, keepdims=True)
    return result


def scores_without_training(weights, tokenizer, pairs):
    """Two other designs on the base model: the cosine of the mean vectors; and the token that is aligned worst."""
    firsts, seconds = (
        token_vectors(weights, tokenizer, [getattr(pair, name) for pair in pairs]) for name in ("first", "second")
    )
    cosines, alignments = np.zeros(len(pairs)), np.zeros(len(pairs))
    for place, (first, second) in enumerate(zip(firsts, seconds, strict=True)):
        one, other = first.mean(0), second.mean(0)
        cosines[place] = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        alike = first @ second.T
        alignments[place] = min(alike.max(0).min(), alike.max(1).min())
    return {"cosine": cosines, "worst aligned token": alignments}


def found_at(scores, pairs, share):
    """The paraphrases above the threshold that this share of the near misses passes; and the threshold."""
    is_same = np.array([pair.is_same for pair in pairs])
    near = np.sort(scores[~is_same])[::-1]
    threshold = near[int(share * len(near))]
    return np.mean(scores[is_same] > threshold), threshold


def print_found(name, scores, pairs):
    columns = [f"{found_at(scores, pairs, share)[0]:6.1%} at {share:.1%} false" for share in FALSE_SHARES]
    print(f"{name:32} {', '.join(columns)}", flush=True)


def print_report(name, scores, pairs, threshold):
    is_same = np.array([pair.is_same for pair in pairs])
    passed = scores > threshold
    print(
        f"{name:32} found {passed[is_same].mean():.1%} of {is_same.sum()}, "
        f"false {passed[~is_same].mean():.2%} of {(~is_same).sum()}",
        flush=True,
    )


def as_typed(pairs: list[Pair]) -> list[Pair]:
    """The pairs of one epoch: half of them, in either order, some of them mistyped, shortened or with courtesies, and
    prompts beside their own noisy copies, so that few changes do not look like a difference."""
    typed = []
    for pair in random.sample(pairs, int(len(pairs) * EPOCH_SHARE)):
        first, second = (pair.second, pair.first) if random.random() < 0.5 else (pair.first, pair.second)
        if random.random() < NOISY_SHARE:
            first = noisy(first)
        typed.append(Pair(first, second, pair.is_same, pair.kind, pair.author))
    repeated = random.sample(pairs, int(len(pairs) * REPEATED_SHARE))
    return typed + [Pair(noisy(pair.first), noisy(pair.first), True, "same", pair.author) for pair in repeated]


def train(weights, tokenizer, pairs, options):
    steps = options.epochs * -(-len(as_typed(pairs)) // options.batch)
    frozen = {WORDS: jnp.asarray(weights[WORDS])}
    weights = {name: value for name, value in weights.items() if name != WORDS}
    rate = optax.warmup_cosine_decay_schedule(0, options.rate, steps // 10, steps)
    parts = {name: "head" if name.startswith("head") else "body" for name in weights}
    optimiser = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.multi_transform(
            {
                "body": optax.adamw(rate, weight_decay=0.01),
                "head": optax.adamw(lambda step: rate(step) * 10, weight_decay=0.01),
            },
            parts,
        ),
    )

    @jax.jit
    def step(weights, state, batch, key):
        ids, types, mask, labels, counted = batch

        def loss_of(weights):
            scores = logits({**weights, **frozen}, ids, types, mask, key)
            losses = optax.sigmoid_binary_cross_entropy(scores, labels)
            return (losses * counted).sum() / counted.sum()

        loss, gradients = jax.value_and_grad(loss_of)(weights)
        updates, state = optimiser.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state, loss

    state, key, began = optimiser.init(weights), jax.random.key(options.seed), time.time()
    for epoch in range(options.epochs):
        typed = as_typed(pairs)
        losses = []
        for ids, types, mask, places in batches(encoded(tokenizer, typed), options.batch):
            labels, counted = np.zeros(options.batch, np.float32), np.zeros(options.batch, np.float32)
            labels[: len(places)], counted[: len(places)] = [typed[i].is_same for i in places], 1
            key, own = jax.random.split(key)
            weights, state, loss = step(weights, state, (ids, types, mask, labels, counted), own)
            losses.append(float(loss))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.time() - began:.0f} s", flush=True)
    return {**weights, **frozen}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-4, help="the highest learning rate of the body")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="where the weights go, as safetensors")
    options = parser.parse_args()
    random.seed(options.seed)
    jax.config.update("jax_default_prng_impl", "rbg")  # threefry takes a fifth of a step on a CPU

    base, tokenizer = load_base()
    examples = [pair for author in TRAIN for pair in all_pairs(author)]
    held_out = {part: [pair for author in authors for pair in written_pairs(author)]
                for part, authors in (("calibration", CALIBRATE), ("report", REPORT))}
    print(f"{len(examples)} pairs by {len(TRAIN)} authors to train on; {len(held_out['calibration'])} by "
          f"{len(CALIBRATE)} others to calibrate on; {len(held_out['report'])} by {len(REPORT)} others to report")
    for name, scores in scores_without_training(base, tokenizer, held_out["report"]).items():
        print_found(f"report, {name}", scores, held_out["report"])

    weights = train({**base, **new_head(jax.random.key(options.seed))}, tokenizer, examples, options)
    if options.out:
        save_file({name: np.asarray(value) for name, value in weights.items()}, options.out)
    scores = {part: scores_of(weights, tokenizer, pairs) for part, pairs in held_out.items()}
    for part, pairs in held_out.items():
        print_found(f"{part}, cross-encoder", scores[part], pairs)
    for share in FALSE_SHARES[1:]:
        _, threshold = found_at(scores["calibration"], held_out["calibration"], share)
        print_report(f"report, calibrated at {share:.1%}", scores["report"], held_out["report"], threshold)
    for kind in sorted({pair.kind for pair in held_out["report"]} - {"same"}):
        of_kind = [i for i, pair in enumerate(held_out["report"]) if pair.kind == kind]
        passed = sum(scores["report"][i] > threshold for i in of_kind)
        print(f"  {kind:12} {passed} of {len(of_kind)} false at {share:.0%}")


if __name__ == "__main__":
    main()
