"""Delays between retries: exponential with jitter, until a limit after the connection was found lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ClientError

LONGEST_DELAY_MS = 2_000


@dataclass(frozen=True)
class Retry:
    """What a client is about to do after a failure."""

    #: Why the last attempt ended.
    cause: Exception
    delay_ms: float
    #: The last seq that was received; None if the request is not for a stream.
    after: int | None = None


OnRetry = Callable[[Retry], None]


class Backoff:
    def __init__(self, first_delay_ms: float, give_up_after_ms: float) -> None:
        self._first_delay_ms = first_delay_ms
        self._give_up_after_ms = give_up_after_ms
        self._lost_at = time.monotonic()
        self._is_lost = True
        self._failures = 0

    def progress(self) -> None:
        self._is_lost = False
        self._failures = 0

    @property
    def waited_ms(self) -> float:
        return (time.monotonic() - self._lost_at) * 1_000

    def next_delay_ms(self, cause: Exception) -> float | None:
        """The next delay, or None when it is time to give up. Up to half of it is jitter, to spread clients out."""
        # While the machine sleeps, or an event is being handled, nothing is read: that is no time of trying in vain.
        if not self._is_lost:
            self._lost_at = time.monotonic()
        self._is_lost = True
        left_ms = self._give_up_after_ms - self.waited_ms
        if left_ms <= 0:
            return None
        full_ms = min(LONGEST_DELAY_MS, self._first_delay_ms * 2.0 ** min(self._failures, 16))
        self._failures += 1
        retry_after_ms = (cause.retry_after_ms or 0) if isinstance(cause, ClientError) else 0
        return min(left_ms, max(retry_after_ms, full_ms * random.uniform(0.5, 1)))
