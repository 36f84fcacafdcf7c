"""Strands Agents (PyPI). It always streams, and asks no second time where a stream has begun."""

from strands import Agent, tool

from report import KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report


def agent(**options):
    if PLAN["wire"] == "messages":
        from strands.models.anthropic import AnthropicModel

        model = AnthropicModel(client_args={"api_key": KEY, "base_url": URL}, model_id=MODEL, max_tokens=4_000)
    else:
        from strands.models.openai import OpenAIModel
        from strands.models.openai_responses import OpenAIResponsesModel

        of_wire = OpenAIResponsesModel if PLAN["wire"] == "responses" else OpenAIModel
        model = of_wire(client_args={"api_key": KEY, "base_url": f"{URL}/v1"}, model_id=MODEL)
    return Agent(model=model, callback_handler=None, **options)


def plain():
    return [str(agent()(QUESTIONS["plain"]))]


async def streaming():
    events = agent().stream_async(QUESTIONS["streaming"])
    chunks = [event["data"] async for event in events if "data" in event]
    return ["".join(chunks)], len(chunks)


def tool_round_trip():
    return [str(agent(tools=[tool(look_up)])(QUESTIONS["tool"]))]


def second_turn():
    helper = agent()
    return [str(helper(QUESTIONS["first"])), str(helper(QUESTIONS["second"]))]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool_round_trip,
        "second turn": second_turn,
    }
)
