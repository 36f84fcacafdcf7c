"""What a client sends and how it reads the response; the clients themselves do the I/O."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, TypedDict
from urllib.parse import quote

import httpx

from ._backoff import Backoff, OnRetry, Retry
from .errors import ClientError, ConnectionLostError, UnusableAnswerError

#: Failures of a request that may pass.
PASSING = (ClientError, UnusableAnswerError, httpx.RequestError)
#: Faults of the caller: a retry would fail in the same way.
_FINAL = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class ClientOptions(TypedDict, total=False):
    #: The first delay before a retry; it doubles up to 2 s. Default: 50.
    reconnect_delay_ms: float
    #: A stream without a byte for this time is replaced. Default: three heartbeats, 30 s.
    max_silence_ms: float
    #: A stream raises ConnectionLostError when a lost connection was not replaced for this time. Default: 5 minutes.
    give_up_after_ms: float
    #: How long a request (not a stream) is retried without an answer. Default: 30 s.
    request_give_up_after_ms: float
    #: How long one attempt of a request may wait to connect, and for the next byte. Default: 30 s.
    request_timeout_ms: float
    #: Asks the server to end each stream cleanly after this time, before a proxy would cut it.
    until_ms: int | None
    #: Called before every retry and every reconnect.
    on_retry: OnRetry | None


@dataclass(frozen=True)
class Settings:
    base_url: str
    api_key: str | None
    reconnect_delay_ms: float = 50
    max_silence_ms: float = 30_000
    give_up_after_ms: float = 300_000
    request_give_up_after_ms: float = 30_000
    request_timeout_ms: float = 30_000
    until_ms: int | None = None
    on_retry: OnRetry | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.api_key is None else {"authorization": f"Bearer {self.api_key}"}

    def url_of(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}{path}"

    def report(self, retry: Retry) -> None:
        if self.on_retry is not None:
            self.on_retry(retry)


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, settings: Settings) -> dict[str, Any]:
        """The arguments of httpx's `request`."""
        return {
            "method": self.method,
            "url": settings.url_of(self.path),
            "json": self.body,
            "headers": {**settings.headers, **self.headers},
            "timeout": settings.request_timeout_ms / 1_000,
        }


def path_of(generation_id: str, action: str = "") -> str:
    return f"/v1/generations/{quote(generation_id, safe='')}{action}"


class Retries:
    """Retries one request. Only for requests that may be repeated, such as a submit by its key."""

    def __init__(self, settings: Settings, call: Call) -> None:
        self._settings = settings
        self._url = settings.url_of(call.path)
        self._backoff = Backoff(settings.reconnect_delay_ms, settings.request_give_up_after_ms)

    def seconds_after(self, cause: Exception) -> float:
        """How long to wait before the next attempt. Raises where there is none."""
        if is_final(cause):
            raise cause
        # A spent budget does not recover within seconds, so the caller must know at once.
        if isinstance(cause, ClientError) and cause.code == "budget_exceeded":
            raise cause
        delay_ms = self._backoff.next_delay_ms(cause)
        if delay_ms is None:
            if isinstance(cause, ClientError):
                raise cause
            raise ConnectionLostError(self._url, self._backoff.waited_ms, cause) from cause
        self._settings.report(Retry(cause, delay_ms))
        return delay_ms / 1_000


def is_final(cause: Exception) -> bool:
    return isinstance(cause, _FINAL) or (isinstance(cause, ClientError) and not cause.passing)


def answer_of(response: httpx.Response) -> Any:
    """The JSON of a response whose body was read."""
    if not response.is_success:
        raise error_of(response)
    try:
        return response.json()
    except ValueError as error:
        raise UnusableAnswerError(f"expected JSON, got {response.text[:120]!r}") from error


def error_of(response: httpx.Response) -> ClientError:
    """Anything but our JSON, such as the page of a proxy, gets the code `http_<status>`."""
    status = response.status_code
    body = error_body_of(response.text)
    retry_after_ms = _retry_after_ms(response.headers.get("retry-after"))
    if body is None:
        message = f"HTTP {status} {response.reason_phrase}: {response.text[:200]}".rstrip()
        return ClientError(message, code=f"http_{status}", status=status, retry_after_ms=retry_after_ms)
    return ClientError(**body, status=status, retry_after_ms=retry_after_ms)


def error_body_of(text: str) -> dict[str, Any] | None:
    """The `code`, `message`, `doc` and `details` of an error's JSON; None for anything else."""
    try:
        error = json.loads(text)["error"]
        code = error["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(code, str):
        return None
    message, doc, details = (error.get(name) for name in ("message", "doc", "details"))
    return {
        "code": code,
        "message": message if isinstance(message, str) else code,
        "doc": doc if isinstance(doc, str) else f"/docs/errors/{code}",
        "details": details if isinstance(details, dict) else None,
    }


def _retry_after_ms(header: str | None) -> float | None:
    """Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.isdigit() else parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds * 1_000)
