"""The blocking client. It may be shared by threads; a stream belongs to one of them."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx

from ._calls import (
    cancel_call,
    continue_call,
    decoded,
    decoded_list,
    delete_call,
    list_call,
    random_key,
    submit_call,
)
from ._following import Following
from ._http import PASSING, Call, ClientOptions, Retries, Settings, answer_of, error_of, path_of
from .events import Event
from .generation import ContinueRequest, Generation, GenerationRequest, SubmittedGeneration
from .text import TextFold

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack


class GenerationStream(Iterator[Event]):
    """
    The events of one generation, exactly once and in order, through any disconnect. Leaving the loop does not cancel
    the generation: follow it again from `after`. After a read that was interrupted by Ctrl-C, the next one continues.
    """

    def __init__(
        self, generation_id: str, following: Following, read: Callable[[Following], Generator[Event, None, None]]
    ) -> None:
        self.id = generation_id
        self._following = following
        self._read = read
        self._events = read(following)
        self._delivered = following.after
        self._fold = TextFold()

    @property
    def after(self) -> int:
        """The cursor: the seq of the last event that you have."""
        return self._delivered

    def __next__(self) -> Event:
        try:
            event = next(self._events)
        except KeyboardInterrupt:
            # It ends the generator, and a loop that goes on would take that for the end of the stream.
            self._following.rewind(self._delivered)
            self._events = self._read(self._following)
            raise
        self._delivered = event.seq
        self._fold.add(event)
        return event

    def text(self) -> str:
        """
        Reads to the end, and returns the text of all events of this stream. Raises GenerationFailedError, which has
        the partial text, if the generation failed or was cancelled.
        """
        for _ in self:
            pass
        return self._fold.finished()

    def close(self) -> None:
        """Ends the connection. The generation keeps running."""
        self._events.close()

    def __enter__(self) -> GenerationStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Unbroken:
    """
    The client of the API. It retries every request through a restart of the API; a retried submit never starts two
    generations. Methods raise ClientError or ConnectionLostError; streams raise StreamIntegrityError too.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        http_client: httpx.Client | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        """`http_client` sets proxies, certificates or transports; you close it yourself."""
        self._settings = Settings(base_url, api_key, **options)
        self._http = http_client or httpx.Client()
        self._owns_http = http_client is None

    def submit(
        self, *, idempotency_key: str | None = None, **request: Unpack[GenerationRequest]
    ) -> SubmittedGeneration:
        """Starts a generation. The same key joins the generation that it started; default: a random key per call."""
        call = submit_call(request, idempotency_key or random_key())
        return decoded(SubmittedGeneration, self._request(call))

    def generate(self, *, idempotency_key: str | None = None, **request: Unpack[GenerationRequest]) -> GenerationStream:
        """Submits, then follows."""
        return self.follow(self.submit(idempotency_key=idempotency_key, **request).id)

    def follow(self, generation_id: str, *, after: int = -1) -> GenerationStream:
        """The events after the cursor `after`, up to the terminal one; -1 is the beginning."""
        following = Following(self._settings, generation_id, after)
        return GenerationStream(generation_id, following, self._events)

    def continue_generation(
        self,
        generation_id: str,
        *,
        idempotency_key: str | None = None,
        **request: Unpack[ContinueRequest],
    ) -> GenerationStream:
        """
        Continues an answer that reached its length limit; the events start with its text. Without `idempotency_key`,
        a generation has one continuation.
        """
        answer = self._request(continue_call(generation_id, request, idempotency_key))
        return self.follow(decoded(SubmittedGeneration, answer).id)

    def get(self, generation_id: str) -> Generation:
        return decoded(Generation, self._request(Call("GET", path_of(generation_id))))

    def list(self, *, limit: int | None = None) -> builtins.list[Generation]:
        """The newest generations, without their text."""
        return decoded_list(Generation, self._request(list_call(limit)))

    def cancel(self, generation_id: str) -> None:
        """A generation that has ended does not change."""
        self._request(cancel_call(generation_id))

    def delete(self, generation_id: str) -> None:
        """Deletes its question and its answer, wherever they are; one that runs is cancelled first."""
        self._request(delete_call(generation_id))

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Unbroken:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _request(self, call: Call) -> Any:
        retries = Retries(self._settings, call)
        while True:
            try:
                return answer_of(self._http.request(**call.arguments(self._settings)))
            except PASSING as error:
                seconds = retries.seconds_after(error)
            time.sleep(seconds)

    def _events(self, following: Following) -> Generator[Event, None, None]:
        while True:
            cause: Exception | None = None
            try:
                yield from self._connection(following)
            except PASSING as error:
                cause = error
            if following.ended:
                return
            if cause is None and following.is_unmoved and self._has_ended(following):
                return
            time.sleep(following.seconds_after(cause))

    def _connection(self, following: Following) -> Generator[Event, None, None]:
        response = self._http.send(self._http.build_request(**following.connect()), stream=True)
        try:
            if response.status_code != 200:
                response.read()
                raise error_of(response)
            following.check(response)
            for chunk in response.iter_bytes():
                yield from following.receive(chunk)
                if following.ended:
                    return
        finally:
            response.close()

    def _has_ended(self, following: Following) -> bool:
        try:
            view = answer_of(self._http.request(**following.view.arguments(self._settings)))
        except PASSING:
            # The loop continues, and finds out why.
            return False
        return following.has_ended(view)
