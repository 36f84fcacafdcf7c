"""AutoGen (PyPI): its model clients, and its assistant."""

from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import AssistantMessage, ModelFamily, UserMessage

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report

ABILITIES = {
    "vision": False,
    "function_calling": True,
    "json_output": True,
    "structured_output": True,
    "family": ModelFamily.UNKNOWN,
}


def client(url=URL):
    if PLAN["wire"] == "messages":
        from autogen_ext.models.anthropic import AnthropicChatCompletionClient

        return AnthropicChatCompletionClient(model=MODEL, base_url=url, api_key=KEY, model_info=ABILITIES)
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    return OpenAIChatCompletionClient(model=MODEL, base_url=f"{url}/v1", api_key=KEY, model_info=ABILITIES)


def user(text):
    return UserMessage(content=text, source="user")


async def plain():
    return [(await client().create([user(QUESTIONS["plain"])])).content]


async def streaming():
    parts = [part async for part in client().create_stream([user(QUESTIONS["streaming"])])]
    chunks = [part for part in parts if isinstance(part, str)]
    return ["".join(chunks)], len(chunks)


async def tool_round_trip():
    helper = AssistantAgent("helper", model_client=client(), tools=[look_up], reflect_on_tool_use=True)
    return [(await helper.run(task=QUESTIONS["tool"])).messages[-1].content]


async def second_turn():
    talk = [user(QUESTIONS["first"])]
    first = (await client().create(talk)).content
    talk += [AssistantMessage(content=first, source="helper"), user(QUESTIONS["second"])]
    return [first, (await client().create(talk)).content]


async def dropped():
    return [(await client(CUT_URL).create([user(QUESTIONS["dropped"])])).content]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
