"""The requests of both clients."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, TypeVar

from ._http import Call, path_of
from ._wire import decode, to_wire
from .errors import UnusableAnswerError

T = TypeVar("T")


def random_key() -> str:
    return secrets.token_hex(16)


def submit_call(request: Mapping[str, Any], idempotency_key: str) -> Call:
    return Call("POST", "/v1/generations", to_wire(request), {"idempotency-key": idempotency_key})


def continue_call(generation_id: str, request: Mapping[str, Any], idempotency_key: str | None) -> Call:
    headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
    return Call("POST", path_of(generation_id, "/continue"), to_wire(request), headers)


def list_call(limit: int | None) -> Call:
    return Call("GET", "/v1/generations" if limit is None else f"/v1/generations?limit={limit}")


def cancel_call(generation_id: str) -> Call:
    return Call("POST", path_of(generation_id, "/cancel"))


def delete_call(generation_id: str) -> Call:
    return Call("DELETE", path_of(generation_id))


def decoded(cls: type[T], answer: object) -> T:
    try:
        return decode(cls, answer)
    except TypeError as error:
        raise UnusableAnswerError(f"expected a {cls.__name__}: {error}") from error


def decoded_list(cls: type[T], answer: object) -> list[T]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, list):
        raise UnusableAnswerError("expected a list in data")
    return [decoded(cls, entry) for entry in data]
