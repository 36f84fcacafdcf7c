"""Prints how a JSON answer grows, and every text that does not end as json.loads reads it."""

import copy
import json

from unbroken import PartialJson

TEXTS = [
    '{"a": "x\\n\\ud83d\\ude00\\"", "b": [1, -2.5e3, true, false, null, {}], "": {"c": []}} ',
    '[[], [{"a": [1, 2]}, "b"]]',
    '"text"',
]


def grown():
    parsed = PartialJson()
    for part in ['{"a', '": "x', 'y", "b": [1', "]}"]:
        parsed.push(part)
        yield copy.deepcopy(parsed.value)


def wrong():
    for text in TEXTS:
        for length in range(1, len(text) + 1):
            parsed = PartialJson()
            for at in range(0, len(text), length):
                parsed.push(text[at : at + length])
            if parsed.value != json.loads(text):
                yield [text, length, repr(parsed.value)]


print(json.dumps({"grown": list(grown()), "wrong": list(wrong())}))
