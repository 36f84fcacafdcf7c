"""Semantic Kernel (PyPI): its agents."""

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

from report import CUT_URL, KEY, MODEL, QUESTIONS, URL, look_up, report


class Almanac:
    @kernel_function(name="look_up", description=look_up.__doc__)
    def look_up(self, topic: str) -> str:
        return look_up(topic)


def agent(url=URL, **options):
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY)
    service = OpenAIChatCompletion(ai_model_id=MODEL, async_client=client)
    return ChatCompletionAgent(service=service, name="helper", **options)


async def plain():
    return [str(await agent().get_response(QUESTIONS["plain"]))]


async def streaming():
    chunks = [str(part.message) async for part in agent().invoke_stream(QUESTIONS["streaming"])]
    return ["".join(chunks)], sum(chunk != "" for chunk in chunks)


async def tool_round_trip():
    return [str(await agent(plugins=[Almanac()]).get_response(QUESTIONS["tool"]))]


async def second_turn():
    helper = agent()
    first = await helper.get_response(QUESTIONS["first"])
    return [str(first), str(await helper.get_response(QUESTIONS["second"], thread=first.thread))]


async def dropped():
    return [str(await agent(CUT_URL).get_response(QUESTIONS["dropped"]))]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
