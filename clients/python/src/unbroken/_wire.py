"""Between the JSON of the protocol, which has camelCase names, and the dataclasses."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .events import Event, UnknownEvent

T = TypeVar("T")
Convert = Callable[[Any], Any]


def wire_name(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def to_wire(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as JSON. Only its own fields are renamed: a JSON Schema inside keeps its names."""
    return {wire_name(name): value for name, value in request.items() if value is not None}


def decode(cls: Callable[..., T], value: object) -> T:
    """Ignores unknown fields. Raises TypeError where a field is missing."""
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return cls(**{name: convert(value[wire]) for name, wire, convert in _plan(cls) if wire in value})


def decode_event(value: Mapping[str, Any]) -> Event:
    """Raises TypeError where a field is missing."""
    numbered = {**value, "first": value.get("from", value["seq"])}
    cls = _EVENTS.get(value["type"])
    if cls is None:
        return UnknownEvent(
            seq=value["seq"], at=value.get("at", 0), first=numbered["first"], name=value["type"], data=value
        )
    return decode(cls, numbered)


@cache
def _plan(cls: Any) -> tuple[tuple[str, str, Convert], ...]:
    hints = get_type_hints(cls)
    return tuple((field.name, wire_name(field.name), _converter(hints[field.name])) for field in fields(cls))


def _converter(hint: Any) -> Convert:
    for kind in _members(hint):
        if isinstance(kind, type) and is_dataclass(kind):
            return partial(_decode_optional, kind)
    return _unchanged


def _decode_optional(cls: Callable[..., T], value: object) -> T | None:
    return None if value is None else decode(cls, value)


def _unchanged(value: Any) -> Any:
    return value


def _members(hint: Any) -> Iterable[Any]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _type_of(cls: Any) -> str:
    return str(next(field.default for field in fields(cls) if field.name == "type"))


_EVENTS: Mapping[str, Callable[..., Event]] = {_type_of(cls): cls for cls in get_args(Event) if cls is not UnknownEvent}
