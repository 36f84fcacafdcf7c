"""Answers behind a FastAPI app: it holds the key, and a browser's EventSource resumes through it."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel
from unbroken import AsyncUnbroken

client = AsyncUnbroken(
    os.environ.get("UNBROKEN_URL", "http://127.0.0.1:8787"),
    api_key=os.environ["UNBROKEN_API_KEY"],
)
app = FastAPI()


class Question(BaseModel):
    question: str


@app.get("/")
def page() -> FileResponse:
    return FileResponse(Path(__file__).parent.parent / "page.html")


@app.post("/answers", status_code=201)
async def ask(question: Question, idempotency_key: Annotated[str | None, Header()] = None) -> dict[str, str]:
    # Check here who is signed in. The same Idempotency-Key joins the same answer.
    submitted = await client.submit(input=question.question, idempotency_key=idempotency_key)
    return {"id": submitted.id}


@app.get("/answers/{generation_id}/events")
async def events(generation_id: str, last_event_id: Annotated[int, Header()] = -1) -> StreamingResponse:
    # EventSource sends the id of the last event that it has, also to another process of this app.
    return StreamingResponse(
        relay(generation_id, last_event_id),
        media_type="text/event-stream",
        headers={"cache-control": "no-store"},
    )


async def relay(generation_id: str, after: int) -> AsyncIterator[str]:
    async with client.follow(generation_id, after=after) as stream:
        async for event in stream:
            data = {"seq": event.seq, "type": event.type, "text": getattr(event, "text", "")}
            yield f"id: {event.seq}\ndata: {json.dumps(data)}\n\n"
