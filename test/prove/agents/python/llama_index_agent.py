"""LlamaIndex's models and its function agent (PyPI)."""

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report


def model(url=URL):
    options = {"model": MODEL, "api_base": f"{url}/v1", "api_key": KEY}
    if PLAN["wire"] == "responses":
        return OpenAIResponses(**options, context_window=100_000)
    return OpenAILike(**options, is_chat_model=True, is_function_calling_model=True, context_window=100_000)


def chat(*messages, url=URL):
    return model(url).chat([ChatMessage(role=role, content=text) for role, text in messages]).message.content


def streaming():
    chunks = list(model().stream_chat([ChatMessage(role="user", content=QUESTIONS["streaming"])]))
    return [chunks[-1].message.content], len(chunks)


async def tool():
    agent = FunctionAgent(tools=[look_up], llm=model())
    return [str(await agent.run(QUESTIONS["tool"]))]


def second_turn():
    first = chat(("user", QUESTIONS["first"]))
    second = chat(("user", QUESTIONS["first"]), ("assistant", first), ("user", QUESTIONS["second"]))
    return [first, second]


report(
    {
        "plain": lambda: [chat(("user", QUESTIONS["plain"]))],
        "streaming": streaming,
        "tool round trip": tool,
        "second turn": second_turn,
        "dropped connection": lambda: [chat(("user", QUESTIONS["dropped"]), url=CUT_URL)],
    }
)
