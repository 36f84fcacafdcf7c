"""Agno (PyPI)."""

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report


def agent(url=URL, **options):
    if PLAN["wire"] == "messages":
        from agno.models.anthropic import Claude

        model = Claude(id=MODEL, api_key=KEY, client_params={"base_url": url})
    else:
        from agno.models.openai import OpenAIChat, OpenAIResponses

        of_wire = OpenAIResponses if PLAN["wire"] == "responses" else OpenAIChat
        model = of_wire(id=MODEL, api_key=KEY, base_url=f"{url}/v1")
    return Agent(model=model, telemetry=False, **options)


def plain():
    return [agent().run(QUESTIONS["plain"]).content]


def streaming():
    events = agent().run(QUESTIONS["streaming"], stream=True)
    chunks = [event.content for event in events if event.event == "RunContent" and event.content]
    return ["".join(chunks)], len(chunks)


def tool_round_trip():
    return [agent(tools=[look_up]).run(QUESTIONS["tool"]).content]


def second_turn():
    helper = agent(db=InMemoryDb(), add_history_to_context=True)
    first = helper.run(QUESTIONS["first"], session_id="talk").content
    return [first, helper.run(QUESTIONS["second"], session_id="talk").content]


def dropped():
    return [agent(CUT_URL).run(QUESTIONS["dropped"]).content]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
