"""Fine-tunes a cross-encoder that says whether two prompts want the same answer, and reports on unseen authors."""

import argparse
import json
import random
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
from bases import pair_base, sentence_base
from encoder import LAYERS, WIDTH, CrossEncoder, cross_encoder, weights_of
from noise import noisy
from pairs import CALIBRATE, KINDS, REPORT, TRAIN, Pair, all_pairs, written_pairs
from safetensors.numpy import load_file, save_file
from torch import nn
from torch.nn import functional

LONGEST = 160  # tokens of both prompts
# Of the first prompts and of the second ones, whatever they want: or noise would tell that they want the same.
NOISY_SHARES = 0.35, 0.25
REPEATED_SHARE = 0.03
# Of the pairs that the rules decide, which the model never reads.
DECIDED_SHARE = 0.25
KIND_WEIGHT = 0.2
AVERAGED = 0.996  # of the mean of the weights is kept at each step
EPOCH_PAIRS = 9_000  # many of a group's pairs have a prompt in common
WARM_UP_STEPS = 150
DECAY_SHARE = 0.35  # of the steps, at the end: the rate falls to 0
HEAD_RATE = 3  # times the body's
KIND_RATE = 5
FALSE_SHARES = (0.002, 0.005, 0.01, 0.02, 0.05)


def encoded(tokenizer, pairs):
    both = tokenizer.encode_batch([(pair.first, pair.second) for pair in pairs])
    return [(one.ids[:LONGEST], one.type_ids[:LONGEST]) for one in both]


def batches(examples, most_tokens):
    """(ids, types, mask, places) of pairs of about equal length, in random order."""
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i][0]) // 4, random.random()))
    chunks = [[]]
    longest = 0
    for place in order:
        longest = max(longest, len(examples[place][0]))
        if longest * (len(chunks[-1]) + 1) > most_tokens:
            chunks.append([])
            longest = len(examples[place][0])
        chunks[-1].append(place)
    random.shuffle(chunks)
    for chunk in chunks:
        shape = len(chunk), max(len(examples[place][0]) for place in chunk)
        ids, types, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        for row, place in enumerate(chunk):
            tokens, prompts = (torch.tensor(part) for part in examples[place])
            ids[row, : len(tokens)], types[row, : len(tokens)], mask[row, : len(tokens)] = tokens, prompts, 1
        yield ids, types, mask, chunk


def flipped(pair: Pair) -> Pair:
    return Pair(pair.second, pair.first, pair.is_same, pair.kind, pair.author)


@torch.no_grad()
def scores_of(model: CrossEncoder, tokenizer, pairs):
    """The mean over both orders of the prompts."""
    model.eval()
    result = np.zeros(len(pairs))
    for order in (pairs, [flipped(pair) for pair in pairs]):
        for ids, types, mask, places in batches(encoded(tokenizer, order), 4096):
            result[places] += model(ids, types, mask).numpy() / 2
    model.train()
    return result


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


def as_typed(pairs: list[Pair], new: set[str], new_share: float) -> list[Pair]:
    """The pairs of one epoch, in either order, some of them mistyped, shortened or with courtesies, and prompts beside
    their own noisy copies, so that few changes do not look like a difference."""
    typed = []
    count = min(EPOCH_PAIRS, len(pairs))
    of_new = [pair for pair in pairs if pair.author in new]
    others = [pair for pair in pairs if pair.author not in new]
    from_new = min(int(count * new_share), len(of_new))
    chosen = random.sample(of_new, from_new) + random.sample(others, min(count - from_new, len(others)))
    for pair in chosen:
        first, second = (pair.second, pair.first) if random.random() < 0.5 else (pair.first, pair.second)
        first, second = (
            noisy(prompt) if random.random() < share else prompt
            for prompt, share in zip((first, second), NOISY_SHARES, strict=True)
        )
        typed.append(Pair(first, second, pair.is_same, pair.kind, pair.author))
    repeated = random.sample(pairs, int(count * REPEATED_SHARE))
    return typed + [Pair(noisy(pair.first), noisy(pair.first), True, "same", pair.author) for pair in repeated]


def as_read(pairs: list[Pair]) -> list[Pair]:
    """The pairs as the product's rules leave them to the model: in the same writing, and most of them undecided."""
    program = Path(__file__).with_name("rule-pairs.ts")
    lines = "".join(json.dumps({"first": pair.first, "second": pair.second}) + "\n" for pair in pairs)
    ruled = subprocess.run(["node", program], input=lines, capture_output=True, text=True, check=True).stdout
    read = []
    for pair, line in zip(pairs, ruled.splitlines(), strict=True):
        of_pair = json.loads(line)
        if of_pair["ruling"] in ("unsure", "aligned") or random.random() < DECIDED_SHARE:
            read.append(Pair(of_pair["first"], of_pair["second"], pair.is_same, pair.kind, pair.author))
    return read


def epochs(tokenizer, pairs, options):
    """Batches without end, with the labels of their pairs, and the kinds."""
    while True:
        read = as_read(as_typed(pairs, set(options.new), options.new_share))
        for ids, types, mask, places in batches(encoded(tokenizer, read), options.tokens):
            labels = torch.tensor([float(read[place].is_same) for place in places])
            yield ids, types, mask, labels, torch.tensor([KINDS.index(read[place].kind) for place in places])


def train(model: CrossEncoder, tokenizer, pairs, held_out, options):
    """Leaves the mean of the last models in `model`."""
    kinds = nn.Linear(WIDTH * 4, len(KINDS))  # for the training only: to know in what prompts differ helps to see it
    head = [*model.head.parameters(), *model.last.parameters()]
    body = [*model.places.parameters(), *model.types.parameters(), *model.norm.parameters(), *model.layers.parameters()]
    rates = (options.rate, options.rate * HEAD_RATE, options.rate * KIND_RATE)
    parts = (body, head, [*kinds.parameters()])
    optimiser = torch.optim.AdamW(
        [{"params": part, "lr": rate} for part, rate in zip(parts, rates, strict=True)], weight_decay=0.01
    )
    falls_from = int(options.steps * (1 - DECAY_SHARE))
    losses, began, read = [], time.time(), 0
    mean = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    for step, (ids, types, mask, labels, differs) in zip(
        range(1, options.steps + 1), epochs(tokenizer, pairs, options), strict=False
    ):
        share = min(1, step / WARM_UP_STEPS, (options.steps - step) / (options.steps - falls_from))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        # Half as long, where a processor multiplies in sixteen bits.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            features = model.features(ids, types, mask)
            scores, guesses = model.score(features), kinds(features)
        loss = functional.binary_cross_entropy_with_logits(scores.float(), labels)
        (loss + KIND_WEIGHT * functional.cross_entropy(guesses.float(), differs)).backward()
        torch.nn.utils.clip_grad_norm_([*body, *head], 1.0)
        optimiser.step()
        optimiser.zero_grad()
        kept = min(AVERAGED, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, value in model.state_dict().items():
                mean[name].mul_(kept).add_(value, alpha=1 - kept)
        losses.append(loss.item())
        read += len(labels)
        if step % 100 == 0:
            print(
                f"step {step}: {read} pairs read, loss {np.mean(losses[-200:]):.3f}, {time.time() - began:.0f} s",
                flush=True,
            )
        if step % 500 == 0:
            print_found("calibration, some", scores_of(model, tokenizer, held_out), held_out)
    model.load_state_dict(mean)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--tokens", type=int, default=2_048, help="of a step")
    parser.add_argument("--weights", help="of an earlier training, to go on from; without it, the base")
    parser.add_argument("--new", nargs="*", default=[], help="authors that an earlier training has not seen")
    parser.add_argument("--new-share", type=float, default=0.6, help="of the pairs that are theirs")
    parser.add_argument("--rate", type=float, default=5e-5, help="the highest learning rate of the body")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="where the weights go, as safetensors")
    options = parser.parse_args()
    random.seed(options.seed)
    torch.manual_seed(options.seed)

    _, tokenizer = sentence_base()
    examples = [pair for author in TRAIN for pair in all_pairs(author)]
    held_out = {part: [pair for author in authors for pair in written_pairs(author)]
                for part, authors in (("calibration", CALIBRATE), ("report", REPORT))}
    print(f"{len(examples)} pairs by {len(TRAIN)} authors to train on; {len(held_out['calibration'])} by "
          f"{len(CALIBRATE)} others to calibrate on; {len(held_out['report'])} by {len(REPORT)} others to report")

    model = cross_encoder(load_file(options.weights) if options.weights else pair_base(LAYERS))
    train(model, tokenizer, examples, random.sample(held_out["calibration"], 1_000), options)
    save_file(weights_of(model), options.out)
    scores = {part: scores_of(model, tokenizer, pairs) for part, pairs in held_out.items()}
    for part, pairs in held_out.items():
        print_found(part, scores[part], pairs)
    for share in FALSE_SHARES:
        _, threshold = found_at(scores["calibration"], held_out["calibration"], share)
        print_report(f"report, calibrated at {share:.1%}", scores["report"], held_out["report"], threshold)
    for kind in sorted({pair.kind for pair in held_out["report"]} - {"same"}):
        of_kind = [i for i, pair in enumerate(held_out["report"]) if pair.kind == kind]
        passed = sum(scores["report"][i] > threshold for i in of_kind)
        print(f"  {kind:12} {passed} of {len(of_kind)} false at {share:.0%}")


if __name__ == "__main__":
    main()
