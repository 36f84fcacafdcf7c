"""A generation as a caller requests it, and as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

FinishReason = Literal["stop", "length", "tool-calls", "refusal", "content-filter", "pause"]
GenerationStatus = Literal["running", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens. The parts are disjoint."""

    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    #: Those of cache_write_tokens that the provider keeps for an hour; None: none.
    cache_write_hour_tokens: int | None = None
    output_tokens: int
    reasoning_tokens: int
    #: True if the provider never reported its usage.
    estimated: bool
    #: "batch": used in the provider's own batches, which cost less; None: in calls.
    service_tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """`code` is never renamed: match on it. `doc` is the path of its page."""

    code: str
    message: str
    doc: str
    details: Mapping[str, str | float | bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the model declined, in its words or its vendor's, where it says so."""

    text: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedGeneration:
    id: str
    status: GenerationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A generation as the API shows it. Times are ms since 1970, money is micro-USD."""

    id: str
    status: GenerationStatus
    route: str
    user: str
    provider: str | None
    model: str | None
    created_at: int
    ended_at: int | None
    #: The seq of the newest event.
    last_seq: int
    finish_reason: FinishReason | None
    #: The stop sequence that ended the answer, if the vendor says so.
    stop_sequence: str | None
    #: Set if the model declined.
    refusal: Refusal | None
    usage: Usage | None
    cost_micro_usd: int | None
    attempts: int
    cached: bool
    #: An old stored answer stands in, because every candidate failed.
    degraded: bool
    #: The text so far; None in a list.
    text: str | None = None
    error: ErrorBody | None
    prompt: PromptVersion | None
    #: The generation whose text this one continues.
    continues: str | None
    metadata: Mapping[str, str]


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class ImagePart(TypedDict):
    type: Literal["image"]
    #: An https URL, or a data URL such as data:image/png;base64,...
    url: str


class ToolCallPart(TypedDict):
    """A call that the model made in an earlier turn."""

    type: Literal["tool-call"]
    id: str
    name: str
    #: JSON, as the model wrote it.
    arguments: str


class _ToolResultPart(TypedDict):
    type: Literal["tool-result"]
    #: The id of the call that it answers.
    id: str
    content: str


class ToolResultPart(_ToolResultPart, total=False):
    isError: bool


class Message(TypedDict):
    role: Literal["user", "assistant"]
    content: str | Sequence[TextPart | ImagePart | ToolCallPart | ToolResultPart]


class _Tool(TypedDict):
    name: str
    #: A JSON Schema object.
    parameters: Mapping[str, Any]


class Tool(_Tool, total=False):
    description: str


class ToolName(TypedDict):
    name: str


class _OutputFormat(TypedDict):
    schema: Mapping[str, Any]


class OutputFormat(_OutputFormat, total=False):
    name: str


class OutputCheck(TypedDict, total=False):
    #: Answers that each model is asked for, the first one included.
    attempts: int
    #: No further answer is requested once the generation has cost this much.
    maxCostMicroUsd: int


class _Webhook(TypedDict):
    url: str


class Webhook(_Webhook, total=False):
    #: Such as response.completed; every end if absent.
    events: Sequence[str]
    #: Standard Webhooks: whsec_ and base64. Absent: the secret of the tenant.
    secret: str


class _PromptReference(TypedDict):
    name: str


class PromptReference(_PromptReference, total=False):
    version: int
    label: str
    variables: Mapping[str, str | float | bool]


class _Reasoning(TypedDict):
    effort: Literal["low", "medium", "high"]


class Reasoning(_Reasoning, total=False):
    thinks: bool


class KeptShare(TypedDict):
    keep: float


class TargetTokens(TypedDict):
    targetTokens: int


class GenerationRequest(TypedDict, total=False):
    """The fields of a request, in snake case; objects inside them are the JSON of the protocol."""

    #: The user text, or the whole conversation. Optional where the prompt has messages.
    input: str | Sequence[Message]
    prompt: PromptReference
    compression: Literal["off"] | KeptShare | TargetTokens
    system: str
    #: provider/model, such as openai/gpt-4o-mini. If absent, the route decides.
    model: str
    route: str
    max_output_tokens: int
    temperature: float
    top_p: float
    top_k: int
    seed: int
    #: Returns the log probability of each token, with so many of the likeliest tokens at its place.
    logprobs: int
    frequency_penalty: float
    presence_penalty: float
    verbosity: Literal["low", "medium", "high"]
    stop: Sequence[str]
    tools: Sequence[Tool]
    tool_choice: Literal["auto", "none", "required"] | ToolName
    #: False: at most one tool call in an answer.
    parallel_tool_calls: bool
    #: The answer is JSON that fits this schema.
    output: OutputFormat
    #: How an answer to `output` is checked, and how often a model is asked again after one that does not fit.
    output_check: Literal["off"] | OutputCheck
    #: Fields of one format that reach its providers as they are, and that no other provider takes.
    native: Mapping[str, Any]
    reasoning: Reasoning
    #: Your end user, whose budget is debited. Defaults to the user of the API key.
    user: str
    cache: Literal["on", "read", "write", "refresh", "off"]
    cache_max_age_ms: int
    #: How long a vendor that lets us choose should keep the prompt for the next call.
    prompt_caching: Literal["5m", "1h", "off"]
    metadata: Mapping[str, str]
    #: Notified when the generation has ended.
    webhook: Webhook
    task: str
    #: 1 is first, 5 is last, 3 if absent.
    priority: int
    deadline_ms: int


class ContinueRequest(TypedDict, total=False):
    #: For the new part alone; if absent, the cap of the continued generation.
    max_output_tokens: int
    #: If absent, the model that wrote the text so far.
    model: str
