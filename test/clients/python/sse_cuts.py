"""Parses one stream, cut at every pair of bytes. Prints the distinct results as one JSON object."""

import json

from unbroken._sse import SseParser

STREAM = (
    "\ufeff: hello\n\n"
    "id: 1\nevent: text-delta\ndata: Wörter🧵\u2028\n\n"
    "data: a\r\ndata:b\r\n\r\n"
    "data: c\rdata:  d\r\r"
    "event: error\ndata\n\n"
    "event: lost\n\n"
    "data: cut off\n"
).encode()

results = set()
for first in range(len(STREAM) + 1):
    for second in range(first, len(STREAM) + 1):
        parser = SseParser()
        chunks = (STREAM[:first], STREAM[first:second], STREAM[second:])
        results.add(json.dumps([[event.name, event.data] for chunk in chunks for event in parser.feed(chunk)]))
print(json.dumps({"results": [json.loads(result) for result in results]}))
