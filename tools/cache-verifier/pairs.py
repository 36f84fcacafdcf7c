"""Pairs of prompts. `# name` of a group, `? prompt`, `= wording that wants the same answer`, `! kind near miss`."""

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "pairs"

# Each file has one author, who saw nothing of the verifier. Nobody's work is in two parts.
TRAIN = ("support-chat", "developers", "patients", "second-language", "pupils", "voice", "families")
CALIBRATE = ("searches", "office")
REPORT = ("lawyers", "travellers", "finance")


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


def written_pairs(author: str) -> list[Pair]:
    """The pairs as they were written: each wording beside the prompt of its group."""
    return [
        Pair(group.prompt, other, kind == "same", kind, author)
        for group in read_groups(author)
        for kind, other in [*(("same", wording) for wording in group.same), *group.near]
    ]


def all_pairs(author: str) -> list[Pair]:
    """Also the wordings of a prompt beside each other, and beside its near misses."""
    more = [
        Pair(wording, other, kind == "same", kind, author)
        for group in read_groups(author)
        for place, wording in enumerate(group.same)
        for kind, other in [*(("same", later) for later in group.same[place + 1 :]), *group.near]
    ]
    return written_pairs(author) + more
