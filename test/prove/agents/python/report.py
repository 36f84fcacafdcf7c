"""Runs what a client can do, one after the other, and prints one JSON object: what it answered, or what failed."""

import asyncio
import json
import sys
import traceback

PLAN = json.loads(sys.argv[1])
QUESTIONS = PLAN["questions"]
MODEL = PLAN["model"]
KEY = PLAN["key"]
URL = PLAN["url"]
CUT_URL = PLAN["cutUrl"]


def look_up(topic: str) -> str:
    """Looks a topic up in the almanac."""
    return f"{topic}: {PLAN['secret']}"


def report(behaviours):
    """`behaviours`: name -> function that returns the answers, or (answers, number of chunks)."""
    results = {}
    for name, behave in behaviours.items():
        try:
            answers = behave()
            if asyncio.iscoroutine(answers):
                answers = asyncio.run(answers)
            answers, chunks = answers if isinstance(answers, tuple) else (answers, 0)
            results[name] = {"answers": answers, "chunks": chunks}
        except BaseException as error:
            last = traceback.format_exception_only(error)[-1].strip()
            results[name] = {"error": last[:1_500]}
    print(json.dumps(results))
