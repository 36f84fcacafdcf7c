"""Haystack (PyPI): its chat generators, and its agent."""

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator, OpenAIResponsesChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from haystack.utils import Secret

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report


def generator(url=URL, **options):
    of_wire = OpenAIResponsesChatGenerator if PLAN["wire"] == "responses" else OpenAIChatGenerator
    return of_wire(api_key=Secret.from_token(KEY), model=MODEL, api_base_url=f"{url}/v1", **options)


def ask(talk, url=URL, **options):
    return generator(url, **options).run(talk)["replies"][0]


def user(text):
    return ChatMessage.from_user(text)


def plain():
    return [ask([user(QUESTIONS["plain"])]).text]


def streaming():
    chunks = []
    ask([user(QUESTIONS["streaming"])], streaming_callback=lambda chunk: chunks.append(chunk.content))
    return ["".join(chunks)], sum(chunk != "" for chunk in chunks)


def tool_round_trip():
    agent = Agent(chat_generator=generator(), tools=[create_tool_from_function(look_up)])
    return [agent.run(messages=[user(QUESTIONS["tool"])])["messages"][-1].text]


def second_turn():
    talk = [user(QUESTIONS["first"])]
    first = ask(talk)
    return [first.text, ask([*talk, first, user(QUESTIONS["second"])]).text]


def dropped():
    return [ask([user(QUESTIONS["dropped"])], CUT_URL).text]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
