"""Writes an encoder as an int8 ONNX graph: the cross-encoder (`logit`), or what embeds questions (`embedding`).

Inputs of both: `input_ids`, `token_type_ids`, `attention_mask`, int64 (batch, length). `logit` is float32 (batch,);
`embedding` is float32 (batch, 384), the mean over the tokens, of length 1.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import onnx
from bases import sentence_base
from encoder import HEADS, SCALED, WIDTH, WORDS, in_four_bits
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

OPSET = 20
LONGEST = {"logit": 160, "embedding": 512}
READABLE = re.compile(r"^(#{2})?[\x21-\x7e\u00a0-\u024f\u2010-\u205f\u20a0-\u20bf]+$")


def kept_pieces(tokenizer) -> tuple[list[int], dict[str, int]]:
    """Drops the pieces of other scripts and the unused ones: nothing in English is read by them."""
    by_id = sorted((place, piece) for piece, place in tokenizer.get_vocab().items())
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    kept = [
        (place, piece)
        for place, piece in by_id
        if piece in special or (READABLE.match(piece) and not piece.startswith("[unused"))
    ]
    return [place for place, _ in kept], {piece: at for at, (_, piece) in enumerate(kept)}


def pruned_tokenizer(tokenizer, vocabulary: dict[str, int]) -> dict:
    spec = json.loads(tokenizer.to_str())
    spec["model"]["vocab"] = vocabulary
    spec["added_tokens"] = [{**token, "id": vocabulary[token["content"]]} for token in spec["added_tokens"]]
    for token in spec["post_processor"].get("special_tokens", {}).values():
        token["ids"] = [vocabulary[piece] for piece in token["tokens"]]
    return spec


class Graph:
    """Collects nodes and weights; every method returns the name of its output."""

    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0

    def weight(self, array, name=None) -> str:
        self.count += 1
        name = name or f"w{self.count}"
        self.weights.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def node(self, operator, *inputs, **attributes) -> str:
        self.count += 1
        out = f"{operator.lower()}{self.count}"
        self.nodes.append(helper.make_node(operator, list(inputs), [out], name=out, **attributes))
        return out

    def ints(self, *values) -> str:
        return self.weight(np.array(values, np.int64))

    def floats(self, value) -> str:
        return self.weight(np.array(value, np.float32))

    def dense(self, x, weights, name) -> str:
        product = self.node("MatMul", x, self.weight(weights[f"{name}.weight"].T, name))
        return self.node("Add", product, self.weight(weights[f"{name}.bias"]))

    def normalise(self, x, weights, name) -> str:
        scale, bias = (self.weight(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)


def words_in_eight_bits(graph: Graph, table, ids) -> str:
    """One scale per word, so that rare words keep their precision."""
    scale = np.abs(table).max(1, keepdims=True) / 127
    rounded = np.clip(np.round(table / scale), -127, 127).astype(np.int8)
    whole = graph.node("Gather", graph.weight(rounded), ids, axis=0)
    return graph.node(
        "Mul",
        graph.node("Cast", whole, to=TensorProto.FLOAT),
        graph.node("Gather", graph.weight(scale.astype(np.float32)), ids, axis=0),
    )


def words_in_four_bits(graph: Graph, table, ids) -> str:
    """The model was trained with these words. A byte has a number of the first half of a row, and one of the second."""
    numbers, scales = in_four_bits(table)
    first, second = np.split((numbers + 8).astype(np.uint8), 2, axis=1)
    pairs = graph.node("Gather", graph.weight(first | second << 4), ids, axis=0)
    low = graph.node("BitwiseAnd", pairs, graph.weight(np.array(15, np.uint8)))
    high = graph.node("BitShift", pairs, graph.weight(np.array(4, np.uint8)), direction="RIGHT")
    both = graph.node("Cast", graph.node("Concat", low, high, axis=-1), to=TensorProto.FLOAT)
    parts = graph.node("Reshape", graph.node("Sub", both, graph.floats(8)), graph.ints(0, 0, -1, SCALED))
    scale = graph.node("Cast", graph.weight(scales.astype(np.float16)), to=TensorProto.FLOAT)
    own = graph.node("Unsqueeze", graph.node("Gather", scale, ids, axis=0), graph.ints(3))
    return graph.node("Reshape", graph.node("Mul", parts, own), graph.ints(0, 0, WIDTH))


def encoded(graph: Graph, weights, words: str, longest: int) -> str:
    length = graph.node("Slice", graph.node("Shape", "input_ids"), graph.ints(1), graph.ints(2))
    place = graph.node(
        "Slice",
        graph.weight(weights["embeddings.position_embeddings.weight"][:longest]),
        graph.ints(0),
        length,
        graph.ints(0),
    )
    kind = graph.node("Gather", graph.weight(weights["embeddings.token_type_embeddings.weight"]), "token_type_ids")
    x = graph.node("Add", graph.node("Add", words, kind), place)
    x = graph.normalise(x, weights, "embeddings.LayerNorm")
    seen = graph.node("Cast", graph.node("Unsqueeze", "attention_mask", graph.ints(1, 2)), to=TensorProto.FLOAT)
    hidden = graph.node("Mul", graph.node("Sub", seen, graph.floats(1)), graph.floats(1e9))

    def by_head(y, order):
        parted = graph.node("Reshape", y, graph.ints(0, 0, HEADS, WIDTH // HEADS))
        return graph.node("Transpose", parted, perm=order)

    for layer in range(1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder."))):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            graph.dense(x, weights, f"{at}.attention.self.{name}") for name in ("query", "key", "value")
        )
        product = graph.node("MatMul", by_head(query, [0, 2, 1, 3]), by_head(key, [0, 2, 3, 1]))
        scaled = graph.node("Mul", product, graph.floats(1 / np.sqrt(WIDTH // HEADS)))
        attention = graph.node("Softmax", graph.node("Add", scaled, hidden), axis=-1)
        y = graph.node("MatMul", attention, by_head(value, [0, 2, 1, 3]))
        y = graph.node("Reshape", graph.node("Transpose", y, perm=[0, 2, 1, 3]), graph.ints(0, 0, WIDTH))
        y = graph.dense(y, weights, f"{at}.attention.output.dense")
        x = graph.normalise(graph.node("Add", x, y), weights, f"{at}.attention.output.LayerNorm")
        y = graph.node("Gelu", graph.dense(x, weights, f"{at}.intermediate.dense"))
        y = graph.dense(y, weights, f"{at}.output.dense")
        x = graph.normalise(graph.node("Add", x, y), weights, f"{at}.output.LayerNorm")
    return x


def mean_over(graph: Graph, x, own) -> str:
    total = graph.node("ReduceSum", graph.node("Mul", x, own), graph.ints(1), keepdims=0)
    count = graph.node("Max", graph.node("ReduceSum", own, graph.ints(1), keepdims=0), graph.floats(1))
    return graph.node("Div", total, count)


def seen_of(graph: Graph) -> str:
    return graph.node("Cast", graph.node("Unsqueeze", "attention_mask", graph.ints(2)), to=TensorProto.FLOAT)


def add_logit(graph: Graph, weights, x) -> str:
    seen = seen_of(graph)
    second = graph.node("Cast", graph.node("Unsqueeze", "token_type_ids", graph.ints(2)), to=TensorProto.FLOAT)
    own = graph.node("Mul", seen, second), graph.node("Mul", seen, graph.node("Sub", graph.floats(1), second))
    after, before = (mean_over(graph, x, part) for part in own)
    masked = graph.node("Add", x, graph.node("Mul", graph.node("Sub", seen, graph.floats(1)), graph.floats(1e4)))
    features = graph.node(
        "Concat",
        graph.node("Gather", x, graph.weight(np.array(0, np.int64)), axis=1),
        graph.node("Abs", graph.node("Sub", before, after)),
        graph.node("Mul", before, after),
        graph.node("ReduceMax", masked, graph.ints(1), keepdims=0),
        axis=-1,
    )
    # The head keeps sixteen bits: it is small, and the threshold hangs on it.
    head = graph.node("Cast", graph.weight(weights["head.dense.weight"].T.astype(np.float16)), to=TensorProto.FLOAT)
    hidden = graph.node("Gemm", features, head, graph.weight(weights["head.dense.bias"]))
    score = graph.node(
        "Gemm",
        graph.node("Tanh", hidden),
        graph.weight(weights["head.out.weight"].T),
        graph.weight(weights["head.out.bias"]),
    )
    graph.nodes.append(helper.make_node("Squeeze", [score, graph.ints(1)], ["logit"], name="logit"))
    return "logit"


def add_embedding(graph: Graph, x) -> str:
    mean = mean_over(graph, x, seen_of(graph))
    graph.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], name="embedding", axis=-1, p=2))
    return "embedding"


def write_model(weights, kept: list[int], path: Path) -> None:
    graph = Graph()
    table = weights[WORDS][kept]
    if "head.out.weight" in weights:
        words = words_in_four_bits(graph, table, "input_ids")
        output = add_logit(graph, weights, encoded(graph, weights, words, LONGEST["logit"]))
    else:
        words = words_in_eight_bits(graph, table, "input_ids")
        output = add_embedding(graph, encoded(graph, weights, words, LONGEST["embedding"]))
    names = ("input_ids", "token_type_ids", "attention_mask")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
    shape = ["batch"] if output == "logit" else ["batch", WIDTH]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
    whole = helper.make_model(
        helper.make_graph(graph.nodes, path.stem, inputs, outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    onnx.checker.check_model(whole, full_check=True)
    # Seven bits of a weight: on processors without VNNI the sums of eight overflow.
    quantize_dynamic(
        whole,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        op_types_to_quantize=["MatMul"],
        extra_options={"MatMulConstBOnly": True},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", help="of the cross-encoder, from train.py; without it, what embeds questions is written")
    parser.add_argument("--mixed-with", help="the weights of an earlier training: the mean of both is written")
    parser.add_argument("--share", type=float, default=0.4, help="of --weights in that mean")
    parser.add_argument("--out", required=True, type=Path, help="the folder of the model, and of tokenizer.json")
    options = parser.parse_args()
    base, tokenizer = sentence_base()
    kept, vocabulary = kept_pieces(tokenizer)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.weights:
        weights, path = load_file(options.weights), options.out / "verifier.onnx"
        if options.mixed_with:
            earlier = load_file(options.mixed_with)
            weights = {
                name: options.share * value + (1 - options.share) * earlier[name] for name, value in weights.items()
            }
    else:
        weights, path = base, options.out / "embedder.onnx"
        # Both models read by it.
        spec = json.dumps(pruned_tokenizer(tokenizer, vocabulary), ensure_ascii=False, separators=(",", ":"))
        (options.out / "tokenizer.json").write_text(spec, "utf8")
    write_model(weights, kept, path)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(kept)} of {tokenizer.get_vocab_size()} pieces")


if __name__ == "__main__":
    main()
