"""Google's Agent Development Kit (PyPI), over its LiteLlm model."""

from google.adk.agents import LlmAgent, RunConfig
from google.adk.agents.run_config import StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report


def runner(url=URL, **options):
    if PLAN["wire"] == "messages":
        model = LiteLlm(model=f"anthropic/{MODEL}", api_base=url, api_key=KEY, num_retries=2)
    else:
        model = LiteLlm(model=f"openai/{MODEL}", api_base=f"{url}/v1", api_key=KEY, num_retries=2)
    return InMemoryRunner(agent=LlmAgent(name="helper", model=model, **options), app_name="proof")


async def say(text, using, session=None, config=None):
    session = session or await using.session_service.create_session(app_name="proof", user_id="reader")
    message = types.Content(role="user", parts=[types.Part(text=text)])
    events = using.run_async(user_id="reader", session_id=session.id, new_message=message, run_config=config)
    partial, final = [], ""
    async for event in events:
        text = "".join(part.text or "" for part in (event.content.parts if event.content else []))
        if event.partial:
            partial.append(text)
        elif event.is_final_response():
            final = text
    return final, partial, session


async def plain():
    return [(await say(QUESTIONS["plain"], runner()))[0]]


async def streaming():
    config = RunConfig(streaming_mode=StreamingMode.SSE)
    final, partial, _ = await say(QUESTIONS["streaming"], runner(), config=config)
    return [final], len(partial)


async def tool_round_trip():
    return [(await say(QUESTIONS["tool"], runner(tools=[look_up])))[0]]


async def second_turn():
    using = runner()
    first, _, session = await say(QUESTIONS["first"], using)
    return [first, (await say(QUESTIONS["second"], using, session))[0]]


async def dropped():
    return [(await say(QUESTIONS["dropped"], runner(CUT_URL)))[0]]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
