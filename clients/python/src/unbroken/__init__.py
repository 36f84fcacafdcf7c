"""Client of Unbroken: LLM generations whose every token arrives exactly once, in order."""

from ._backoff import Retry
from ._http import ClientOptions
from .async_client import AsyncGenerationStream, AsyncUnbroken
from .client import GenerationStream, Unbroken
from .errors import (
    ClientError,
    ConnectionLostError,
    GenerationFailedError,
    StreamIntegrityError,
    UnbrokenError,
    UnusableAnswerError,
)
from .events import Event, is_terminal
from .generation import ContinueRequest, Generation, GenerationRequest, Message, SubmittedGeneration, Usage
from .partial_json import PartialJson, async_partial_json, partial_json
from .text import text_of

__all__ = [
    "AsyncGenerationStream",
    "AsyncUnbroken",
    "ClientError",
    "ClientOptions",
    "ConnectionLostError",
    "ContinueRequest",
    "Event",
    "Generation",
    "GenerationFailedError",
    "GenerationRequest",
    "GenerationStream",
    "Message",
    "PartialJson",
    "Retry",
    "StreamIntegrityError",
    "SubmittedGeneration",
    "Unbroken",
    "UnbrokenError",
    "UnusableAnswerError",
    "Usage",
    "async_partial_json",
    "is_terminal",
    "partial_json",
    "text_of",
]
