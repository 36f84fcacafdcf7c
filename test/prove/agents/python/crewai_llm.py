"""CrewAI (PyPI): its LLM, which runs the tools, and an agent."""

from crewai import LLM, Agent
from crewai.tools import tool

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, report


@tool
def look_up(topic: str) -> str:
    """Looks a topic up in the almanac."""
    return f"{topic}: {PLAN['secret']}"


def model(url=URL, **options):
    if PLAN["wire"] == "messages":
        return LLM(model=MODEL, provider="anthropic", base_url=url, api_key=KEY, max_tokens=4_000, **options)
    if PLAN["wire"] == "responses":
        options["api"] = "responses"
    return LLM(model=MODEL, provider="openai", base_url=f"{url}/v1", api_key=KEY, **options)


def plain():
    return [model().call(QUESTIONS["plain"])]


def streaming():
    return [model(stream=True).call(QUESTIONS["streaming"])], 3


def tool_round_trip():
    helper = Agent(role="Librarian", goal="Answer", backstory="Reads almanacs.", llm=model(), tools=[look_up])
    return [helper.kickoff(QUESTIONS["tool"]).raw]


def second_turn():
    talk = [{"role": "user", "content": QUESTIONS["first"]}]
    first = model().call(talk)
    talk += [{"role": "assistant", "content": first}, {"role": "user", "content": QUESTIONS["second"]}]
    return [first, model().call(talk)]


def dropped():
    return [model(CUT_URL).call(QUESTIONS["dropped"])]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
