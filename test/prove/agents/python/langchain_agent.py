"""LangChain's chat models, and an agent of LangGraph (PyPI)."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report


def model(url=URL):
    if PLAN["wire"] == "messages":
        return ChatAnthropic(model=MODEL, base_url=url, api_key=KEY)
    uses_responses = PLAN["wire"] == "responses"
    return ChatOpenAI(model=MODEL, base_url=f"{url}/v1", api_key=KEY, use_responses_api=uses_responses)


def plain():
    return [model().invoke(QUESTIONS["plain"]).text]


def streaming():
    chunks = [chunk.text for chunk in model().stream(QUESTIONS["streaming"])]
    return ["".join(chunks)], sum(chunk != "" for chunk in chunks)


def tool():
    asked = {"messages": [{"role": "user", "content": QUESTIONS["tool"]}]}
    return [create_agent(model(), tools=[look_up]).invoke(asked)["messages"][-1].text]


def second_turn():
    talk = [("user", QUESTIONS["first"])]
    first = model().invoke(talk)
    second = model().invoke([*talk, first, ("user", QUESTIONS["second"])])
    return [first.text, second.text]


def dropped():
    return [model(CUT_URL).invoke(QUESTIONS["dropped"]).text]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
