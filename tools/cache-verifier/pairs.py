"""Pairs of prompts. `# name` of a group, `? prompt`, `= wording that wants the same answer`, `! kind near miss`."""

import json
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "pairs"

# Each file has one author, who saw nothing of the verifier. Nobody's work is in two parts.
PARTS = json.loads((FOLDER.parent / "parts.json").read_text("utf8"))
TRAIN, CALIBRATE, REPORT = (tuple(PARTS[part]) for part in ("train", "calibrate", "report"))


KINDS = (
    "same", "negation", "antonym", "entity", "number", "date", "unit", "version", "scope", "condition", "roles",
    "order", "tense", "audience", "language", "format", "comparison", "superlative", "question",
)


@dataclass
class Group:
    name: str
    prompt: str = ""
    same: list[str] = field(default_factory=list)
    near: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    first: str
    second: str
    is_same: bool
    kind: str
    """`same`, or in what the prompts differ."""
    author: str


def read_groups(author: str) -> list[Group]:
    groups: list[Group] = []
    for number, line in enumerate((FOLDER / f"{author}.txt").read_text("utf8").splitlines(), 1):
        mark, text = line[:2], line[2:].strip()
        if mark == "# ":
            groups.append(Group(text))
        elif mark == "? ":
            groups[-1].prompt = text
        elif mark == "= ":
            groups[-1].same.append(text)
        elif mark == "! ":
            kind, _, prompt = text.partition(" ")
            groups[-1].near.append((kind, prompt))
        elif line:
            raise ValueError(f"{author}.txt:{number}: unknown line {line[:60]}")
    return groups


def users_turns(prompt: str) -> str:
    """What the verifier reads of a conversation. The cache compares the assistant's turns by equality."""
    return " || ".join(turn.strip() for turn in prompt.split("||")[::2])


def pair_of(first: str, kind: str, second: str, author: str) -> Pair | None:
    """None: only the assistant's turns differ."""
    turns, others = users_turns(first), users_turns(second)
    return None if turns == others else Pair(turns, others, kind == "same", kind, author)


def written_pairs(author: str) -> list[Pair]:
    """The pairs as they were written: each wording beside the prompt of its group."""
    pairs = (
        pair_of(group.prompt, kind, other, author)
        for group in read_groups(author)
        for kind, other in [*(("same", wording) for wording in group.same), *group.near]
    )
    return [pair for pair in pairs if pair is not None]


def all_pairs(author: str) -> list[Pair]:
    """Also the wordings of a prompt beside each other, and beside its near misses."""
    more = (
        pair_of(wording, kind, other, author)
        for group in read_groups(author)
        for place, wording in enumerate(group.same)
        for kind, other in [*(("same", later) for later in group.same[place + 1 :]), *group.near]
    )
    return written_pairs(author) + [pair for pair in more if pair is not None]
