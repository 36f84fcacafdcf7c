"""Code of a user: mypy must accept all of it, in strict mode."""

from __future__ import annotations

from unbroken import AsyncUnbroken, ClientError, Generation, GenerationFailedError, Message, Unbroken
from unbroken.events import GenerationEnd


def follow(client: Unbroken) -> str:
    conversation: list[Message] = [{"role": "user", "content": [{"type": "text", "text": "Why is the sky blue?"}]}]
    text = ""
    cost_micro_usd: int | None = None
    with client.generate(input=conversation, max_output_tokens=100, idempotency_key="sky-1") as stream:
        for event in stream:
            if event.type == "text-delta":
                text += event.text
            elif event.type == "text-reset":
                text = ""
            elif isinstance(event, GenerationEnd):
                cost_micro_usd = event.usage.output_tokens and event.cost_micro_usd
    print(stream.id, stream.after, cost_micro_usd)
    return text


def manage(client: Unbroken, generation_id: str) -> list[Generation]:
    try:
        client.cancel(generation_id)
        print(client.continue_generation(generation_id, max_output_tokens=20).text())
    except GenerationFailedError as error:
        print(error.code, error.partial_text)
    except ClientError as error:
        print(error.code, error.doc, error.status)
    return client.list(limit=10)


async def follow_async(client: AsyncUnbroken) -> str | None:
    stream = await client.generate(input="Why is the sky blue?", tools=[{"name": "sky", "parameters": {}}])
    async for event in stream:
        if event.type == "provider-start":
            print(event.strategy.upper())
    return (await client.get(stream.id)).text or await client.follow(stream.id, after=3).text()
