"""The LiteLLM SDK (PyPI): its OpenAI, Anthropic and Responses clients."""

import json

import litellm

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, look_up, report

litellm.telemetry = False
WIRE = PLAN["wire"]
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": look_up.__doc__,
        "parameters": {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]},
    },
}


def complete(messages, url=URL, **options):
    if WIRE == "messages":
        return litellm.completion(f"anthropic/{MODEL}", messages, api_base=url, api_key=KEY, **options)
    prefix = "openai/responses" if WIRE == "responses" else "openai"
    return litellm.completion(f"{prefix}/{MODEL}", messages, api_base=f"{url}/v1", api_key=KEY, **options)


def user(text):
    return {"role": "user", "content": text}


def plain():
    return [complete([user(QUESTIONS["plain"])]).choices[0].message.content]


def streaming():
    chunks = [part.choices[0].delta.content or "" for part in complete([user(QUESTIONS["streaming"])], stream=True)]
    return ["".join(chunks)], sum(chunk != "" for chunk in chunks)


def tool():
    talk = [user(QUESTIONS["tool"])]
    asked = complete(talk, tools=[TOOL]).choices[0].message
    call = asked.tool_calls[0]
    result = look_up(**json.loads(call.function.arguments))
    talk += [asked.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": result}]
    return [complete(talk, tools=[TOOL]).choices[0].message.content]


def second_turn():
    talk = [user(QUESTIONS["first"])]
    first = complete(talk).choices[0].message
    second = complete([*talk, first.model_dump(), user(QUESTIONS["second"])]).choices[0].message
    return [first.content, second.content]


def dropped():
    return [complete([user(QUESTIONS["dropped"])], CUT_URL, num_retries=2).choices[0].message.content]


report(
    {
        "plain": plain,
        "streaming": streaming,
        "tool round trip": tool,
        "second turn": second_turn,
        "dropped connection": dropped,
    }
)
