"""openai-agents (PyPI)."""

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner
from agents import SQLiteSession, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report

set_tracing_disabled(True)


def agent(url=URL, tools=()):
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY)
    of_wire = OpenAIResponsesModel if PLAN["wire"] == "responses" else OpenAIChatCompletionsModel
    return Agent(name="helper", model=of_wire(model=MODEL, openai_client=client), tools=list(tools))


async def ask(question, url=URL, **options):
    return [(await Runner.run(agent(url), question, **options)).final_output]


async def streaming():
    result, chunks = Runner.run_streamed(agent(), QUESTIONS["streaming"]), 0
    async for event in result.stream_events():
        chunks += event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    return [result.final_output], chunks


async def tool():
    return [(await Runner.run(agent(tools=[function_tool(look_up)]), QUESTIONS["tool"])).final_output]


async def second_turn():
    session = SQLiteSession("conversation")
    return await ask(QUESTIONS["first"], session=session) + await ask(QUESTIONS["second"], session=session)


report(
    {
        "plain": lambda: ask(QUESTIONS["plain"]),
        "streaming": streaming,
        "tool round trip": tool,
        "second turn": second_turn,
        "dropped connection": lambda: ask(QUESTIONS["dropped"], CUT_URL),
    }
)
