"""The errors of the client. All of them are an UnbrokenError."""

from __future__ import annotations

from collections.abc import Mapping


class UnbrokenError(Exception):
    """Any error of this package."""


class ClientError(UnbrokenError):
    """The API answered with an error. Match on `code`; `doc` is the path of its page, with the fix."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        doc: str | None = None,
        details: Mapping[str, str | float | bool] | None = None,
        retry_after_ms: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: A code of the API, or `http_<status>` if a proxy in between answered.
        self.code = code
        self.status = status
        self.doc = doc
        self.details = details or {}
        self.retry_after_ms = retry_after_ms

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later without a change."""
        return self.status >= 500 or self.status in (408, 429)


class StreamIntegrityError(UnbrokenError):
    """The stream broke the protocol: a gap, a duplicate, an unreadable event, or one after the terminal event."""

    def __init__(self, generation_id: str, after: int, what: str) -> None:
        super().__init__(f"generation {generation_id} after seq {after}: {what}")
        self.generation_id = generation_id
        #: The last seq that was received intact.
        self.after = after


class ConnectionLostError(UnbrokenError):
    """Nothing usable arrived for the whole limit. A generation continues: follow it again from `after`."""

    def __init__(self, url: str, waited_ms: float, cause: Exception, after: int | None = None) -> None:
        super().__init__(f"no usable answer from {url} for {waited_ms:.0f} ms: {cause or type(cause).__name__}")
        self.url = url
        #: The last seq that was received; None if the request was not for a stream.
        self.after = after


class GenerationFailedError(UnbrokenError):
    """The generation failed or was cancelled, so its text is not a finished answer."""

    def __init__(self, message: str, *, code: str, doc: str, partial_text: str) -> None:
        super().__init__(message)
        self.code = code
        self.doc = doc
        #: The text that had arrived; never show it as finished.
        self.partial_text = partial_text


class UnusableAnswerError(UnbrokenError):
    """An answer is not what the protocol says, such as a proxy's page with status 200."""
