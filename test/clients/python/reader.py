"""
Reads one generation with the installed client. Prints JSON lines: {"event": ...} for each event, {"retry": ...} before
each retry, and at the end {"text": ...} or {"error": ...}.

The argument is JSON: url, key, client ("sync" or "async"), options, and either `id` with `after`, or `request`.
"""

import asyncio
import json
import sys

from unbroken import AsyncUnbroken, Event, Retry, Unbroken, UnbrokenError, text_of

plan = json.loads(sys.argv[1])
events: list[Event] = []


def show(**line):
    print(json.dumps(line), flush=True)


def on_retry(retry: Retry):
    show(retry={"cause": str(retry.cause), "delayMs": retry.delay_ms, "after": retry.after})


def take(event: Event):
    events.append(event)
    shown = {"seq": event.seq, "from": event.first, "type": event.type}
    show(event={**shown, "text": event.text} if event.type in ("text-delta", "reasoning-delta") else shown)


def options():
    return {"api_key": plan.get("key"), "on_retry": on_retry, **plan.get("options", {})}


def read_sync():
    with Unbroken(plan["url"], **options()) as client:
        if "request" in plan:
            stream = client.generate(**plan["request"])
        else:
            stream = client.follow(plan["id"], after=plan.get("after", -1))
        for event in stream:
            take(event)
        return stream.text()


async def read_async():
    async with AsyncUnbroken(plan["url"], **options()) as client:
        if "request" in plan:
            stream = await client.generate(**plan["request"])
        else:
            stream = client.follow(plan["id"], after=plan.get("after", -1))
        async for event in stream:
            take(event)
        return await stream.text()


try:
    text = read_sync() if plan["client"] == "sync" else asyncio.run(read_async())
    assert text == text_of(events), "stream.text() and text_of(events) differ"
    show(text=text)
except UnbrokenError as error:
    facts = {name: getattr(error, name, None) for name in ("code", "status", "doc", "after")}
    show(error={"name": type(error).__name__, "message": str(error), **facts})
