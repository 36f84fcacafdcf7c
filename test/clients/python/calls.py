"""
Calls every method of one installed client against a live server, and checks what it returns. Prints one JSON object:
behaviour -> "" or what failed. The argument is JSON: url, key, client ("sync" or "async"), and the questions.
"""

import asyncio
import inspect
import json
import sys
import time
import traceback

from unbroken import AsyncUnbroken, ClientError, GenerationFailedError, Unbroken

plan = json.loads(sys.argv[1])
loop = asyncio.new_event_loop()


def wait(value):
    """The methods of both clients have the same names, so one script checks both."""
    return loop.run_until_complete(value) if inspect.isawaitable(value) else value


def same(what, actual, expected):
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r:.200}, got {actual!r:.200}")


def fails(kind, call):
    try:
        wait(call())
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}")


def submit_and_read(client):
    asked, key = plan["answer"], plan["keys"][0]
    stream = wait(client.generate(input=asked["input"], cache="off", idempotency_key=key, metadata={"a_b": "c"}))
    same("text", wait(stream.text()), asked["text"])
    again = wait(client.submit(input=asked["input"], cache="off", idempotency_key=key, metadata={"a_b": "c"}))
    same("id of the same request", again.id, stream.id)
    view = wait(client.get(stream.id))
    same("text of the view", view.text, asked["text"])
    same("view", (view.status, view.finish_reason, view.last_seq), ("completed", "stop", stream.after))
    same("metadata", view.metadata, {"a_b": "c"})
    same("tokens", view.usage.output_tokens, asked["tokens"])
    same("listed", listed_texts(client, stream.id), [None])


def listed_texts(client, generation_id):
    """Temporal lists a run some moments after its start."""
    for _ in range(300):
        texts = [entry.text for entry in wait(client.list(limit=100)) if entry.id == generation_id]
        if texts:
            return texts
        time.sleep(0.2)
    return []


def refuse(client):
    key = plan["keys"][0]
    conflict = fails(ClientError, lambda: client.submit(input="Another question", idempotency_key=key))
    same("conflict", (conflict.status, conflict.code), (409, "idempotency_conflict"))
    same("page", conflict.doc, "/docs/errors/idempotency_conflict")
    same("unknown", fails(ClientError, lambda: client.get("gen_none")).code, "not_found")
    same("field", fails(ClientError, lambda: client.submit(input="x", top_q=1)).code, "invalid_request")


def cancel(client):
    stream = wait(client.generate(input=plan["long"]["input"], cache="off"))
    while (wait(stream.__anext__()) if hasattr(stream, "__anext__") else next(stream)).type != "text-delta":
        pass
    wait(client.cancel(stream.id))
    failure = fails(GenerationFailedError, stream.text)
    same("code", failure.code, "cancelled")
    same("a part of the text", plan["long"]["text"].startswith(failure.partial_text.rstrip()), True)
    same("status", wait(client.get(stream.id)).status, "cancelled")
    wait(client.delete(stream.id))
    same("deleted", fails(ClientError, lambda: client.get(stream.id)).code, "not_found")


def continue_answer(client):
    asked = plan["continued"]
    stream = wait(client.generate(input=asked["input"], model=asked["model"], max_output_tokens=40, cache="off"))
    part = wait(stream.text())
    same("a cut answer", (wait(client.get(stream.id)).finish_reason, part == asked["text"]), ("length", False))
    rest = wait(client.continue_generation(stream.id, max_output_tokens=200))
    same("whole text", wait(rest.text()), asked["text"])
    same("continues", wait(client.get(rest.id)).continues, stream.id)


BEHAVIOURS = {"submit": submit_and_read, "errors": refuse, "cancel": cancel, "continue": continue_answer}

results = {}
with_client = Unbroken if plan["client"] == "sync" else AsyncUnbroken
client = with_client(plan["url"], api_key=plan["key"])
for name, behaviour in BEHAVIOURS.items():
    try:
        behaviour(client)
        results[name] = ""
    except Exception:
        results[name] = traceback.format_exc()
wait(client.close() if plan["client"] == "sync" else client.aclose())
print(json.dumps(results))
