"""The finished text of a generation."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import GenerationFailedError
from .events import Event


class TextFold:
    """Deltas joined, without voided text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._end: Event | None = None

    def add(self, event: Event) -> None:
        if event.type == "text-delta":
            self._parts.append(event.text)
        elif event.type == "text-reset":
            self._parts.clear()
        elif event.type in ("generation-end", "generation-error", "generation-cancel"):
            self._end = event

    def finished(self) -> str:
        """Raises GenerationFailedError, which has the partial text, where it is not the text of a complete answer."""
        text = "".join(self._parts)
        if self._end is None:
            raise _failed("internal", "the events stop before the end of the generation", text)
        if self._end.type == "generation-cancel":
            raise _failed("cancelled", "the generation was cancelled", text)
        if self._end.type == "generation-error":
            error = self._end.error
            raise GenerationFailedError(error.message, code=error.code, doc=error.doc, partial_text=text)
        if text == "" and self._end.type == "generation-end" and self._end.refusal is not None:
            return self._end.refusal.text or ""
        return text


def text_of(events: Iterable[Event]) -> str:
    """The text of these events, or of a refusal without any other text. Raises GenerationFailedError if the generation failed, or they stop before its end."""
    fold = TextFold()
    for event in events:
        fold.add(event)
    return fold.finished()


def _failed(code: str, message: str, text: str) -> GenerationFailedError:
    return GenerationFailedError(message, code=code, doc=f"/docs/errors/{code}", partial_text=text)
