"""A BERT encoder in PyTorch, and a head that reads two prompts at once. float32: on a CPU, twice as fast as JAX.

`ids`, `types` and `mask` are int64 of the shape (batch, length).
"""

import re

import numpy as np
import torch
from bases import Weights
from torch import Tensor, nn
from torch.nn import functional

LAYERS, HEADS, WIDTH = 9, 12, 384
WORDS = "embeddings.word_embeddings.weight"
# Each word has a scale for each of these many numbers, and four bits a number.
SCALED = 32


def in_four_bits(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(words, WIDTH) as whole numbers from -7 to 7, int8, and their scales, (words, WIDTH / SCALED)."""
    parts = table.reshape(len(table), -1, SCALED)
    scales = np.maximum(np.abs(parts).max(2), 1e-9) / 7
    return np.clip(np.round(parts / scales[..., None]), -7, 7).astype(np.int8).reshape(table.shape), scales


def from_four_bits(numbers: np.ndarray, scales: np.ndarray) -> np.ndarray:
    parts = numbers.reshape(len(numbers), -1, SCALED) * scales[..., None]
    return parts.reshape(numbers.shape).astype(np.float32)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.attended = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.into, self.out = nn.Linear(WIDTH, WIDTH * 4), nn.Linear(WIDTH * 4, WIDTH)
        self.middle_norm, self.last_norm = (nn.LayerNorm(WIDTH, eps=1e-12) for _ in range(2))

    def forward(self, x: Tensor, hidden: Tensor, dropped: float) -> Tensor:
        batch, length, _ = x.shape

        def by_head(y: Tensor) -> Tensor:
            return y.view(batch, length, HEADS, WIDTH // HEADS).transpose(1, 2)

        parts = (by_head(part(x)) for part in (self.query, self.key, self.value))
        query, key, value = parts
        # By hand: of sixteen bits, PyTorch's own takes half of the whole time.
        weights = query @ key.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5 + hidden
        y = weights.float().softmax(-1).to(value.dtype) @ value
        x = self.middle_norm(x + self.attended(y.transpose(1, 2).reshape(batch, length, WIDTH)))
        y = self.out(functional.gelu(self.into(x)))
        return self.last_norm(x + functional.dropout(y, dropped, self.training))


class CrossEncoder(nn.Module):
    def __init__(self, places: int, words: int):
        super().__init__()
        self.words, self.places, self.types = (nn.Embedding(count, WIDTH) for count in (words, places, 2))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head, self.last = nn.Linear(WIDTH * 4, WIDTH), nn.Linear(WIDTH, 1)
        # Words that no author used keep their neighbours.
        self.words.requires_grad_(False)
        for part in (self.head, self.last):
            nn.init.normal_(part.weight, std=0.02)
            nn.init.zeros_(part.bias)

    def encode(self, ids: Tensor, types: Tensor, mask: Tensor, dropped: float = 0.1) -> Tensor:
        """Contextual vectors: (batch, length, WIDTH)."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.types(types)
        x = functional.dropout(self.norm(x), dropped, self.training)
        hidden = torch.zeros(mask.shape).masked_fill(mask == 0, -1e9)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, hidden, dropped)
        return x

    def features(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """What the head reads of both prompts: (batch, WIDTH * 4)."""
        x = self.encode(ids, types, mask)
        seen = mask[..., None].to(x.dtype)

        def mean_of(prompt: int) -> Tensor:
            own = seen * (types == prompt)[..., None]
            return (x * own).sum(1) / own.sum(1).clamp(min=1)

        first, second = mean_of(0), mean_of(1)
        highest = x.masked_fill(seen == 0, -1e4).amax(1)
        return torch.cat([x[:, 0], (first - second).abs(), first * second, highest], -1)

    def score(self, features: Tensor) -> Tensor:
        """How sure it is that both prompts want the same answer: (batch,). Above 0: rather the same."""
        return self.last(torch.tanh(self.head(features)))[:, 0]

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        return self.score(self.features(ids, types, mask))


PARTS = {
    "words": "embeddings.word_embeddings",
    "places": "embeddings.position_embeddings",
    "types": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
    "head": "head.dense",
    "last": "head.out",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "into": "intermediate.dense",
    "out": "output.dense",
    "middle_norm": "attention.output.LayerNorm",
    "last_norm": "output.LayerNorm",
}


def name_in_bert(name: str) -> str:
    """`layers.3.query.weight` is `encoder.layer.3.attention.self.query.weight`."""
    layer, part, kind = re.fullmatch(r"(layers\.\d+\.)?(\w+)\.(\w+)", name).groups()
    return f"{(layer or '').replace('layers', 'encoder.layer')}{PARTS[part]}.{kind}"


def cross_encoder(weights: Weights) -> CrossEncoder:
    """With a new head if there is none yet. The words are rounded to four bits, as the model will have them."""
    rounded = {**weights, WORDS: from_four_bits(*in_four_bits(weights[WORDS]))}
    model = CrossEncoder(len(weights["embeddings.position_embeddings.weight"]), len(weights[WORDS]))
    own = {name: rounded.get(name_in_bert(name)) for name in model.state_dict()}
    model.load_state_dict({k: torch.tensor(v) for k, v in own.items() if v is not None}, strict=False)
    return model


def weights_of(model: CrossEncoder) -> Weights:
    return {name_in_bert(name): value.numpy() for name, value in model.state_dict().items()}
