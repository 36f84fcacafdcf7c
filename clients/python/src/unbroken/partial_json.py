"""The value of a JSON answer while it is being written. Each character is read once, however long the answer gets."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

from .events import Event

_BLANK = " \t\n\r"
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}


class PartialJson:
    """
    Parses JSON that arrives in parts. `value` is one value that grows: copy what you keep of it. A string appears with
    its first characters; a number, `true`, `false` and `null` appear when they are whole.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The text so far is void."""
        #: None before anything is known of it.
        self.value: Any = None
        self._levels: list[dict[str, Any] | list[Any]] = []
        #: The key whose value comes next, of each level.
        self._keys: list[str] = []
        self._mode = "value"
        self._is_key = False
        self._text: list[str] = []
        #: An escape that has begun, without its backslash.
        self._escape: str | None = None
        self._high = ""

    def push(self, text: str) -> None:
        for character in text:
            self._take(character)
        if self._mode == "string" and not self._is_key:
            self._place("".join(self._text))

    def _take(self, character: str) -> None:
        if self._mode == "string":
            self._take_string(character)
        elif self._mode == "literal":
            if character not in _BLANK and character not in ",]}":
                self._text.append(character)
                return
            self._end_literal()
            self._take(character)
        elif self._mode != "broken" and character not in _BLANK:
            self._take_sign(character)

    def _take_sign(self, character: str) -> None:
        level = self._levels[-1] if self._levels else None
        closing = None if level is None else "]" if isinstance(level, list) else "}"
        if character == closing and self._mode != "colon":
            self._levels.pop()
            self._keys.pop()
            self._mode = "next"
        elif self._mode == "next" and character == "," and level is not None:
            self._mode = "value" if isinstance(level, list) else "key"
        elif self._mode == "colon" and character == ":":
            self._mode = "value"
        elif self._mode == "key" and character == '"':
            self._begin_string(is_key=True)
        elif self._mode == "value":
            self._begin_value(character)
        else:
            self._mode = "broken"

    def _begin_value(self, character: str) -> None:
        if character == '"':
            self._begin_string(is_key=False)
        elif character in "{[":
            container: dict[str, Any] | list[Any] = [] if character == "[" else {}
            self._place(container, is_new=True)
            self._levels.append(container)
            self._keys.append("")
            self._mode = "value" if character == "[" else "key"
        else:
            self._mode = "literal"
            self._text = [character]

    def _begin_string(self, *, is_key: bool) -> None:
        self._mode = "string"
        self._is_key = is_key
        self._text = []
        if not is_key:
            self._place("", is_new=True)

    def _take_string(self, character: str) -> None:
        if self._escape is not None:
            self._escape += character
            if self._escape[0] == "u" and len(self._escape) < 5:
                return
            self._add_escaped(self._escape)
            self._escape = None
        elif character == "\\":
            self._escape = ""
        elif character == '"':
            self._end_string()
        else:
            self._text.append(character)

    def _add_escaped(self, escape: str) -> None:
        if escape[0] != "u":
            self._text.append(_ESCAPES.get(escape, escape))
            return
        try:
            code = int(escape[1:], 16)
        except ValueError:
            self._mode = "broken"
            return
        # A character outside the basic plane is two escapes.
        if 0xD800 <= code < 0xDC00:
            self._high = chr(code)
            return
        pair = self._high + chr(code)
        self._high = ""
        self._text.append(pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def _end_string(self) -> None:
        text = "".join(self._text)
        if self._is_key:
            self._keys[-1] = text
            self._mode = "colon"
        else:
            self._place(text)
            self._mode = "next"

    def _end_literal(self) -> None:
        text = "".join(self._text)
        try:
            value = _LITERALS[text] if text in _LITERALS else _number(text)
        except ValueError:
            self._mode = "broken"
            return
        self._place(value, is_new=True)
        self._mode = "next"

    def _place(self, value: Any, *, is_new: bool = False) -> None:
        if not self._levels:
            self.value = value
            return
        level = self._levels[-1]
        if isinstance(level, dict):
            level[self._keys[-1]] = value
        elif is_new:
            level.append(value)
        else:
            level[-1] = value


def _number(text: str) -> int | float:
    return float(text) if any(sign in text for sign in ".eE") else int(text)


def partial_json(events: Iterable[Event]) -> Iterator[Any]:
    """
    Yields the value of a JSON answer whenever it has grown. It is one value: copy what you keep of it. After a
    `text-reset` another one begins.
    """
    json = PartialJson()
    for event in events:
        if _grows(json, event):
            yield json.value


async def async_partial_json(events: AsyncIterable[Event]) -> AsyncIterator[Any]:
    """`partial_json` of an asynchronous stream."""
    json = PartialJson()
    async for event in events:
        if _grows(json, event):
            yield json.value


def _grows(json: PartialJson, event: Event) -> bool:
    if event.type == "text-reset":
        json.reset()
    if event.type != "text-delta":
        return False
    json.push(event.text)
    return json.value is not None
