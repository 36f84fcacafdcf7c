"""The client for asyncio. It mirrors the blocking one."""

from __future__ import annotations

import asyncio
import builtins
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
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


class AsyncGenerationStream(AsyncIterator[Event]):
    """
    The events of one generation, exactly once and in order, through any disconnect. Leaving the loop does not cancel
    the generation: follow it again from `after`. After a read that was cancelled, as by `asyncio.wait_for`, the next
    one continues.
    """

    def __init__(
        self, generation_id: str, following: Following, read: Callable[[Following], AsyncGenerator[Event, None]]
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

    async def __anext__(self) -> Event:
        try:
            event = await self._events.__anext__()
        except asyncio.CancelledError:
            # It ends the generator, and a loop that goes on would take that for the end of the stream.
            self._following.rewind(self._delivered)
            self._events = self._read(self._following)
            raise
        self._delivered = event.seq
        self._fold.add(event)
        return event

    async def text(self) -> str:
        """
        Reads to the end, and returns the text of all events of this stream. Raises GenerationFailedError, which has
        the partial text, if the generation failed or was cancelled.
        """
        async for _ in self:
            pass
        return self._fold.finished()

    async def aclose(self) -> None:
        """Ends the connection. The generation keeps running."""
        await self._events.aclose()

    async def __aenter__(self) -> AsyncGenerationStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class AsyncUnbroken:
    """
    The client of the API. It retries every request through a restart of the API; a retried submit never starts two
    generations. Methods raise ClientError or ConnectionLostError; streams raise StreamIntegrityError too.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        http_client: httpx.AsyncClient | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        """`http_client` sets proxies, certificates or transports; you close it yourself."""
        self._settings = Settings(base_url, api_key, **options)
        self._http = http_client or httpx.AsyncClient()
        self._owns_http = http_client is None

    async def submit(
        self, *, idempotency_key: str | None = None, **request: Unpack[GenerationRequest]
    ) -> SubmittedGeneration:
        """Starts a generation. The same key joins the generation that it started; default: a random key per call."""
        call = submit_call(request, idempotency_key or random_key())
        return decoded(SubmittedGeneration, await self._request(call))

    async def generate(
        self, *, idempotency_key: str | None = None, **request: Unpack[GenerationRequest]
    ) -> AsyncGenerationStream:
        """Submits, then follows."""
        return self.follow((await self.submit(idempotency_key=idempotency_key, **request)).id)

    def follow(self, generation_id: str, *, after: int = -1) -> AsyncGenerationStream:
        """The events after the cursor `after`, up to the terminal one; -1 is the beginning."""
        following = Following(self._settings, generation_id, after)
        return AsyncGenerationStream(generation_id, following, self._events)

    async def continue_generation(
        self,
        generation_id: str,
        *,
        idempotency_key: str | None = None,
        **request: Unpack[ContinueRequest],
    ) -> AsyncGenerationStream:
        """
        Continues an answer that reached its length limit; the events start with its text. Without `idempotency_key`,
        a generation has one continuation.
        """
        answer = await self._request(continue_call(generation_id, request, idempotency_key))
        return self.follow(decoded(SubmittedGeneration, answer).id)

    async def get(self, generation_id: str) -> Generation:
        return decoded(Generation, await self._request(Call("GET", path_of(generation_id))))

    async def list(self, *, limit: int | None = None) -> builtins.list[Generation]:
        """The newest generations, without their text."""
        return decoded_list(Generation, await self._request(list_call(limit)))

    async def cancel(self, generation_id: str) -> None:
        """A generation that has ended does not change."""
        await self._request(cancel_call(generation_id))

    async def delete(self, generation_id: str) -> None:
        """Deletes its question and its answer, wherever they are; one that runs is cancelled first."""
        await self._request(delete_call(generation_id))

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncUnbroken:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _request(self, call: Call) -> Any:
        retries = Retries(self._settings, call)
        while True:
            try:
                return answer_of(await self._http.request(**call.arguments(self._settings)))
            except PASSING as error:
                seconds = retries.seconds_after(error)
            await asyncio.sleep(seconds)

    async def _events(self, following: Following) -> AsyncGenerator[Event, None]:
        while True:
            cause: Exception | None = None
            try:
                async with aclosing(self._connection(following)) as events:
                    async for event in events:
                        yield event
            except PASSING as error:
                cause = error
            if following.ended:
                return
            if cause is None and following.is_unmoved and await self._has_ended(following):
                return
            await asyncio.sleep(following.seconds_after(cause))

    async def _connection(self, following: Following) -> AsyncGenerator[Event, None]:
        response = await self._http.send(self._http.build_request(**following.connect()), stream=True)
        try:
            if response.status_code != 200:
                await response.aread()
                raise error_of(response)
            following.check(response)
            async for chunk in response.aiter_bytes():
                for event in following.receive(chunk):
                    yield event
                if following.ended:
                    return
        finally:
            await response.aclose()

    async def _has_ended(self, following: Following) -> bool:
        try:
            view = answer_of(await self._http.request(**following.view.arguments(self._settings)))
        except PASSING:
            # The loop continues, and finds out why.
            return False
        return following.has_ended(view)
