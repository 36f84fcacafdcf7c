"""Server-sent events from bytes, however they are cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import UnusableAnswerError

#: No event of ours is longer; a longer one is an error.
LONGEST_EVENT_BYTES = 16 * 1024 * 1024

# Lines are cut before they are decoded: no byte of a longer UTF-8 character is a line end. `str.splitlines` would
# also cut at characters that are text here, such as U+2028.
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ServerSentEvent:
    name: str
    data: str


class SseParser:
    """One connection. An event that is cut off before its blank line is dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._is_first = True
        self._name = ""
        self._data: list[str] = []
        self._data_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        self._buffer += chunk
        for line in self._lines():
            if line:
                self._take(line)
                continue
            if self._data:
                yield ServerSentEvent(self._name, "\n".join(self._data))
            self._name, self._data, self._data_bytes = "", [], 0
        if len(self._buffer) + self._data_bytes > LONGEST_EVENT_BYTES:
            raise UnusableAnswerError(f"an event is longer than {LONGEST_EVENT_BYTES} bytes")

    def _lines(self) -> Iterator[bytes]:
        start = 0
        position = self._searched
        while match := _LINE_END.search(self._buffer, position):
            # The other half of this line end may come with the next chunk.
            if match.group() == b"\r" and match.end() == len(self._buffer):
                break
            line = bytes(self._buffer[start : match.start()])
            start = position = match.end()
            if self._is_first:
                line, self._is_first = line.removeprefix(_BOM), False
            yield line
        del self._buffer[:start]
        # Only a final \r has to be looked at again.
        self._searched = max(0, len(self._buffer) - 1)

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._data.append(text)
            self._data_bytes += len(value)
        elif field == b"event":
            self._name = text
