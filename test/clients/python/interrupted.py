"""
Reads one generation, and each time that nothing arrives for half a second, gives that read up and reads on. Prints one
line of JSON: how many reads were given up, and the text. The argument is JSON: url, client ("sync" or "async"), pauseMs
(how long the first event is handled) and options.
"""

import asyncio
import json
import signal
import sys
import time

from unbroken import AsyncUnbroken, Unbroken

PATIENCE_SECONDS = 0.5
plan = json.loads(sys.argv[1])
pause_seconds = plan["pauseMs"] / 1_000


def interrupt(*_):
    raise KeyboardInterrupt


def read_sync():
    given_up = 0
    with Unbroken(plan["url"], **plan["options"]) as client:
        stream = client.follow("g1")
        while True:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
            try:
                event = next(stream)
            except KeyboardInterrupt:
                given_up += 1
                continue
            except StopIteration:
                break
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            if event.seq == 0:
                time.sleep(pause_seconds)
        return given_up, stream.text()


async def read_async():
    given_up = 0
    async with AsyncUnbroken(plan["url"], **plan["options"]) as client:
        stream = client.follow("g1")
        while True:
            try:
                event = await asyncio.wait_for(anext(stream), PATIENCE_SECONDS)
            except asyncio.TimeoutError:
                given_up += 1
                continue
            except StopAsyncIteration:
                break
            if event.seq == 0:
                await asyncio.sleep(pause_seconds)
        return given_up, await stream.text()


signal.signal(signal.SIGALRM, interrupt)
reads, text = read_sync() if plan["client"] == "sync" else asyncio.run(read_async())
print(json.dumps({"givenUp": reads, "text": text}))
