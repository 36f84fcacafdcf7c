"""`openai` from PyPI, unmodified, against Unbroken. Prints one JSON object: behaviour -> "" or what failed.

Called with one JSON argument: url, key, model, and the questions with their true texts.
"""

import json
import sys

import openai

plan = json.loads(sys.argv[1])
HEADERS = {"x-unbroken-cache": "off"}


client = openai.OpenAI(api_key=plan["key"], base_url=f"{plan['url']}/v1")


def same(what, actual, expected):
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r:.200}, got {actual!r:.200}")


def ask(text):
    return {"model": plan["model"], "messages": [{"role": "user", "content": text}]}


def plain():
    asked = plan["plain"]
    response = client.responses.create(model=plan["model"], input=asked["input"], extra_headers=HEADERS)
    same("text", response.output_text, asked["text"])
    chat = client.chat.completions.create(**ask(asked["input"]), extra_headers=HEADERS)
    same("chat text", chat.choices[0].message.content, asked["text"])


def streaming():
    asked = plan["streaming"]
    with client.responses.stream(model=plan["model"], input=asked["input"], extra_headers=HEADERS) as stream:
        numbers = [event.sequence_number for event in stream]
        same("text", stream.get_final_response().output_text, asked["text"])
    same("numbers", numbers, list(range(len(numbers))))
    chunks = client.chat.completions.create(
        **ask(asked["input"]), stream=True, stream_options={"include_usage": True}, extra_headers=HEADERS
    )
    text, usage = "", None
    for chunk in chunks:
        usage = chunk.usage or usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    same("chat text", text, asked["text"])
    same("chat tokens", usage.completion_tokens, plan["tokens"])


def tool_call():
    asked = {
        "model": plan["model"],
        "tools": [{"type": "function", "name": "weather", "parameters": plan["tool_schema"], "strict": True}],
        "extra_headers": HEADERS,
    }
    with client.responses.stream(input=plan["tool_question"], **asked) as stream:
        response = stream.get_final_response()
    call = response.output[0]
    same("name", call.name, "weather")
    same("arguments", json.loads(call.arguments), plan["tool_arguments"])
    result = {"type": "function_call_output", "call_id": call.call_id, "output": plan["tool_result"]}
    answer = client.responses.create(input=[result], previous_response_id=response.id, **asked)
    same("an answer in words", len(answer.output_text) > 50, True)


def resume():
    asked = plan["resume"]
    text, cursor, response_id = "", -1, None
    stream = client.responses.create(
        model=plan["model"], input=asked["input"], stream=True, background=True, extra_headers=HEADERS
    )
    for event in stream:
        cursor = event.sequence_number
        if event.type == "response.created":
            response_id = event.response.id
        if event.type == "response.output_text.delta":
            text += event.delta
        if cursor == 40:
            break
    stream.close()
    for event in client.responses.retrieve(response_id, stream=True, starting_after=cursor):
        same("the next number", event.sequence_number, cursor + 1)
        cursor = event.sequence_number
        if event.type == "response.output_text.delta":
            text += event.delta
    same("text", text, asked["text"])


def error():
    try:
        client.responses.create(model="no-such", input="x")
    except openai.NotFoundError as failure:
        same("code", failure.code, "model_not_found")
    else:
        raise AssertionError("an unknown model did not fail")


def cancel():
    begun = client.responses.create(
        model=plan["model"], input=plan["cancel"]["input"], background=True, extra_headers=HEADERS
    )
    same("status", client.responses.cancel(begun.id).status, "cancelled")
    same("status again", client.responses.cancel(begun.id).status, "cancelled")


BEHAVIOURS = {
    "plain": plain,
    "streaming": streaming,
    "tool call": tool_call,
    "resume": resume,
    "error": error,
    "cancel": cancel,
}

results = {}
for name, behaviour in BEHAVIOURS.items():
    try:
        behaviour()
        results[name] = ""
    except Exception as failure:
        results[name] = f"{type(failure).__name__}: {failure}"
print(json.dumps(results))
