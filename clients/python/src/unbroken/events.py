"""The events of a generation. Every event has a `seq` from 0, without gaps; the last one is terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .generation import ErrorBody, FinishReason, Progress, PromptVersion, Refusal, Usage

ResumeStrategy = Literal["start", "reattach", "prefill", "instruct", "restart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    #: Its number: the cursor of a reader that has it.
    seq: int
    #: When it was appended, in ms since 1970.
    at: int
    #: The first seq that it covers: `seq`, unless deltas were merged for a reader that was behind.
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStart(_Event):
    type: Literal["generation-start"] = "generation-start"
    generation_id: str
    route: str
    user: str
    prompt: PromptVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationContinue(_Event):
    """This generation continues an earlier answer, whose text follows first."""

    type: Literal["generation-continue"] = "generation-continue"
    generation_id: str
    chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCompress(_Event):
    type: Literal["prompt-compress"] = "prompt-compress"
    engine: str
    tokens_before: int
    tokens_after: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction(_Event):
    type: Literal["compaction"] = "compaction"
    generation_id: str
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheHit(_Event):
    type: Literal["cache-hit"] = "cache-hit"
    provider: str
    model: str
    similarity: float
    matched_by: str | None = None
    probability: float | None = None
    age_ms: int
    degraded: bool = False
    entry_id: str | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSkip(_Event):
    type: Literal["cache-skip"] = "cache-skip"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheAsk(_Event):
    type: Literal["cache-ask"] = "cache-ask"
    provider: str
    model: str
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheJudge(_Event):
    type: Literal["cache-judge"] = "cache-judge"
    provider: str
    model: str
    same: bool
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheJoin(_Event):
    type: Literal["cache-join"] = "cache-join"
    leader: str
    similarity: float
    matched_by: str | None = None
    probability: float | None = None
    entry_id: str | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLeave(_Event):
    type: Literal["cache-leave"] = "cache-leave"
    reason: str
    share: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReserve(_Event):
    type: Literal["budget-reserve"] = "budget-reserve"
    reserved_tokens: int
    reserved_micro_usd: int | None = None
    #: None: no limit is set.
    remaining_tokens: int | None
    max_output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetWarn(_Event):
    type: Literal["budget-warn"] = "budget-warn"
    per: Literal["user", "team", "key"]
    id: str
    window: str
    unit: Literal["tokens", "micro-usd"]
    limit: int
    spent: int
    resets_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRaise(_Event):
    type: Literal["cap-raise"] = "cap-raise"
    provider: str
    model: str
    attempt: int
    max_output_tokens: int
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStart(_Event):
    type: Literal["provider-start"] = "provider-start"
    provider: str
    model: str
    attempt: int
    strategy: ResumeStrategy
    #: What this call leaves out of the request, because only another provider can read it.
    dropped: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(_Event):
    type: Literal["text-delta"] = "text-delta"
    text: str
    #: Of the tokens of this text, if the request asks for them: token, logprob, bytes and top.
    logprobs: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStart(_Event):
    """Another part of the text begins: a message of its own, or a block of one."""

    type: Literal["text-start"] = "text-start"
    part: Literal["message", "block"]
    #: What the message is for, such as commentary or final_answer.
    phase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation(_Event):
    """A citation or another note of the vendor on the part of the text before it, in the words of its format."""

    type: Literal["annotation"] = "annotation"
    format: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NativePart(_Event):
    """A whole block or item of the answer that only this format has."""

    type: Literal["native-part"] = "native-part"
    format: str
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta(_Event):
    type: Literal["reasoning-delta"] = "reasoning-delta"
    text: str
    #: Which block or item of reasoning it belongs to, and which paragraph of it.
    item: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSeal(_Event):
    """What only the model's vendor can read of its thoughts. It goes back to the model as it is."""

    type: Literal["reasoning-seal"] = "reasoning-seal"
    #: The item of reasoning, or the tool call, that it belongs to; of the text, if both are None.
    item: int | None = None
    call_id: str | None = None
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta(_Event):
    """More of the JSON arguments of a tool call; the deltas of one `index`, joined, are the call."""

    type: Literal["tool-call-delta"] = "tool-call-delta"
    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReset(_Event):
    """All text, reasoning and tool calls before it are void."""

    type: Literal["text-reset"] = "text-reset"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError(_Event):
    """An attempt ended without a complete answer; more may follow."""

    type: Literal["provider-error"] = "provider-error"
    provider: str
    model: str
    attempt: int
    code: str
    message: str
    #: Only with output_invalid: a JSON Pointer to what does not fit the schema.
    path: str | None = None
    resumable: bool
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageUpdate(_Event):
    type: Literal["usage-update"] = "usage-update"
    provider: str
    model: str
    attempt: int
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCall(Progress):
    """What each follower of a shared call pays, and how many generations share it."""

    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a call used that a stored answer or a shared call spared, less what is paid for it."""

    tokens: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationEnd(_Event):
    """Terminal: the answer is complete."""

    type: Literal["generation-end"] = "generation-end"
    provider: str
    model: str
    finish_reason: FinishReason
    #: The stop sequence that ended the answer, if the vendor says so.
    stop_sequence: str | None = None
    #: Only after a refusal; the text before it is kept.
    refusal: Refusal | None = None
    #: The vendor's own reason, where it says more than `finish_reason`.
    vendor_reason: str | None = None
    #: What Anthropic has left out of the conversation, as the request's `context_management` asked.
    applied_edits: Sequence[Mapping[str, Any]] | None = None
    attempts: int
    cached: bool
    degraded: bool = False
    usage: Usage
    cost_micro_usd: int
    shared: SharedCall | None = None
    saved: Saved | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationError(_Event):
    """Terminal: the generation failed for good."""

    type: Literal["generation-error"] = "generation-error"
    error: ErrorBody
    attempts: int
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationCancel(_Event):
    """Terminal: it was cancelled; the partial answer is billed."""

    type: Literal["generation-cancel"] = "generation-cancel"
    attempts: int
    usage: Usage
    cost_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(_Event):
    """An event of a newer server. Ignore it; it counts in the sequence."""

    type: Literal["unknown"] = "unknown"
    #: Its type on the wire.
    name: str
    data: Mapping[str, Any]


#: A union that type checkers narrow by `event.type == "text-delta"` or by `isinstance`.
Event = (
    GenerationStart
    | GenerationContinue
    | PromptCompress
    | Compaction
    | CacheHit
    | CacheSkip
    | CacheAsk
    | CacheJudge
    | CacheJoin
    | CacheLeave
    | BudgetReserve
    | BudgetWarn
    | CapRaise
    | ProviderStart
    | TextDelta
    | TextStart
    | Annotation
    | NativePart
    | ReasoningDelta
    | ReasoningSeal
    | ToolCallDelta
    | TextReset
    | ProviderError
    | UsageUpdate
    | GenerationEnd
    | GenerationError
    | GenerationCancel
    | UnknownEvent
)


def is_terminal(event: Event) -> bool:
    """Whether a log ends with this event."""
    return isinstance(event, (GenerationEnd, GenerationError, GenerationCancel))
