"""smolagents (PyPI): its model, and a tool that the model calls."""

from smolagents import OpenAIServerModel, tool
from smolagents.models import ChatMessage, MessageRole

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, report


@tool
def look_up(topic: str) -> str:
    """Looks a topic up in the almanac.

    Args:
        topic: What to look up.
    """
    return f"{topic}: {PLAN['secret']}"


def model(url=URL):
    return OpenAIServerModel(model_id=MODEL, api_base=f"{url}/v1", api_key=KEY)


def said(role, text):
    return ChatMessage(role=role, content=[{"type": "text", "text": text}])


def user(text):
    return said(MessageRole.USER, text)


def plain():
    return [model().generate([user(QUESTIONS["plain"])]).content]


def streaming():
    chunks = [delta.content or "" for delta in model().generate_stream([user(QUESTIONS["streaming"])])]
    return ["".join(chunks)], sum(chunk != "" for chunk in chunks)


def tool_round_trip():
    talk = [user(QUESTIONS["tool"])]
    asked = model().generate(talk, tools_to_call_from=[look_up])
    call = model().parse_tool_calls(asked).tool_calls[0]
    # Its agents write calls and results as text.
    talk += [
        said(MessageRole.TOOL_CALL, f"Calling tools: {call.function.name}"),
        said(MessageRole.TOOL_RESPONSE, look_up(**call.function.arguments)),
    ]
    return [model().generate(talk).content]


def second_turn():
    talk = [user(QUESTIONS["first"])]
    first = model().generate(talk)
    second = model().generate([*talk, first, user(QUESTIONS["second"])])
    return [first.content, second.content]


def dropped():
    return [model(CUT_URL).generate([user(QUESTIONS["dropped"])]).content]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
