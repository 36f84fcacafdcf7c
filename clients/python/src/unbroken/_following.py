"""Follows a generation through any disconnect: all decisions of that loop. The clients do its I/O."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from ._backoff import Backoff, Retry
from ._error_statuses import ERROR_STATUSES
from ._http import Call, Settings, error_body_of, is_final, path_of
from ._sse import SseParser
from ._wire import decode_event
from .errors import ClientError, ConnectionLostError, StreamIntegrityError, UnusableAnswerError
from .events import Event, is_terminal

#: A connection that sends bytes after this time is alive, even if no event is due for minutes.
HEARTBEAT_PROOF_MS = 1_000


class Following:
    """One generation that is followed. Every event is yielded exactly once and in order, or it raises."""

    def __init__(self, settings: Settings, generation_id: str, after: int) -> None:
        self._settings = settings
        self._generation_id = generation_id
        self._sequence = _Sequence(generation_id, after)
        self._backoff = Backoff(settings.reconnect_delay_ms, settings.give_up_after_ms)
        self._path = path_of(generation_id)
        self._open()

    @property
    def after(self) -> int:
        return self._sequence.after

    @property
    def ended(self) -> bool:
        return self._sequence.ended

    def rewind(self, after: int) -> None:
        """Continues after an event that was delivered, where what came behind it was not."""
        if after != self.after:
            self._sequence = _Sequence(self._generation_id, after)

    @property
    def view(self) -> Call:
        """The request that says whether the generation has ended."""
        return Call("GET", self._path)

    def connect(self) -> dict[str, Any]:
        """The arguments of httpx's `build_request` for the next connection."""
        self._open()
        until = "" if self._settings.until_ms is None else f"&until_ms={self._settings.until_ms}"
        return {
            "method": "GET",
            "url": self._settings.url_of(f"{self._path}/events?after={self.after}{self._sequence.proof}{until}"),
            "headers": {
                **self._settings.headers,
                "accept": "text/event-stream",
                # A compressed stream would be held back until a block is full.
                "accept-encoding": "identity",
                "cache-control": "no-store",
            },
            "timeout": self._settings.max_silence_ms / 1_000,
        }

    def check(self, response: httpx.Response) -> None:
        """Checks the headers of a response with status 200."""
        kind = response.headers.get("content-type", "none")
        if not kind.startswith("text/event-stream"):
            raise UnusableAnswerError(f"expected text/event-stream, got {kind}")

    def receive(self, chunk: bytes) -> Iterator[Event]:
        # Every connection starts with a comment, which proves nothing; a later one is a heartbeat.
        if (time.monotonic() - self._opened_at) * 1_000 >= HEARTBEAT_PROOF_MS:
            self._is_alive = True
            self._backoff.progress()
        for received in self._parser.feed(chunk):
            if received.name == "error":
                raise _in_band_error(received.data)
            event = self._sequence.accept(received.data)
            self._backoff.progress()
            yield event

    @property
    def is_unmoved(self) -> bool:
        """Whether this connection brought no event. Where it ended cleanly, the cursor may be the end of the log."""
        return self.after == self._opened_after

    def has_ended(self, view: object) -> bool:
        """Whether the generation ended at or before the cursor."""
        if not isinstance(view, Mapping) or view.get("status", "running") == "running":
            return False
        last_seq = view.get("lastSeq")
        return isinstance(last_seq, int) and last_seq <= self.after

    def seconds_after(self, cause: Exception | None) -> float:
        """How long to wait before the next connection. Raises where there is none. A clean end has no `cause`."""
        if cause is not None and is_final(cause):
            raise cause
        # The server or platform rotated a stream that was alive: reconnect without a delay.
        has_rotated = cause is None and (self._is_alive or not self.is_unmoved)
        reason = cause or UnusableAnswerError("the server closed the stream before the generation ended")
        delay_ms = 0 if has_rotated else self._backoff.next_delay_ms(reason)
        if delay_ms is None:
            url = self._settings.url_of(self._path)
            raise ConnectionLostError(url, self._backoff.waited_ms, reason, self.after) from cause
        self._settings.report(Retry(reason, delay_ms, self.after))
        return delay_ms / 1_000

    def _open(self) -> None:
        self._parser = SseParser()
        self._opened_at = time.monotonic()
        self._opened_after = self.after
        self._is_alive = False


def _in_band_error(data: str) -> ClientError:
    """An error after the headers arrives as an event; its status is that of its code."""
    body = error_body_of(data) or {"code": "internal", "message": data[:200]}
    return ClientError(**body, status=ERROR_STATUSES.get(body["code"], 500))


class _Sequence:
    """Holds the cursor and rejects every event but the next one."""

    def __init__(self, generation_id: str, after: int) -> None:
        self._generation_id = generation_id
        self.after = after
        #: The query with the time of the last event: it shows that a cursor is stale after a log has lost its tail.
        self.proof = ""
        self.ended = False

    def accept(self, data: str) -> Event:
        event = self._read(data)
        if self.ended:
            raise self._broken(f"event {event.seq} came after the terminal one")
        if event.first > event.seq:
            raise self._broken(f"event {event.seq} begins at {event.first}, which is after its end")
        if event.first <= self.after:
            raise self._broken(f"duplicate: event {event.first} came again")
        if event.first > self.after + 1:
            raise self._broken(f"gap: expected {self.after + 1}, got {event.first}")
        self.after = event.seq
        self.proof = f"&at={event.at}" if isinstance(event.at, int) else ""
        self.ended = is_terminal(event)
        return event

    def _read(self, data: str) -> Event:
        try:
            value = json.loads(data)
            if not all(type(value.get(name, 0)) is int for name in ("seq", "from")):
                raise TypeError("seq and from must be integers")
            return decode_event(value)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._broken(f"unreadable event {data[:120]} ({error})") from error

    def _broken(self, what: str) -> StreamIntegrityError:
        return StreamIntegrityError(self._generation_id, self.after, what)
