"""pydantic-ai (PyPI)."""

from pydantic_ai import Agent

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report

# Each format needs the SDK of its vendor alone, and each takes seconds to load.
if PLAN["wire"] == "messages":
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider
else:
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider


def agent(url=URL, tools=()):
    if PLAN["wire"] == "messages":
        model = AnthropicModel(MODEL, provider=AnthropicProvider(base_url=url, api_key=KEY))
    else:
        of_wire = OpenAIResponsesModel if PLAN["wire"] == "responses" else OpenAIChatModel
        model = of_wire(MODEL, provider=OpenAIProvider(base_url=f"{url}/v1", api_key=KEY))
    return Agent(model, tools=list(tools))


async def plain():
    return [(await agent().run(QUESTIONS["plain"])).output]


async def streaming():
    chunks = []
    async with agent().run_stream(QUESTIONS["streaming"]) as result:
        async for chunk in result.stream_text(delta=True, debounce_by=None):
            chunks.append(chunk)
    return ["".join(chunks)], len(chunks)


async def tool():
    return [(await agent(tools=[look_up]).run(QUESTIONS["tool"])).output]


async def second_turn():
    helper = agent()
    first = await helper.run(QUESTIONS["first"])
    second = await helper.run(QUESTIONS["second"], message_history=first.all_messages())
    return [first.output, second.output]


async def dropped():
    return [(await agent(CUT_URL).run(QUESTIONS["dropped"])).output]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
