"""instructor (PyPI): its answers are objects, so a text is the field of one."""

import anthropic
import instructor
import openai
from pydantic import BaseModel

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, report

IS_MESSAGES = PLAN["wire"] == "messages"


class Place(BaseModel):
    city: str
    days: int


def client(url=URL):
    if IS_MESSAGES:
        return instructor.from_anthropic(anthropic.Anthropic(base_url=url, api_key=KEY))
    made = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY)
    mode = instructor.Mode.RESPONSES_TOOLS if PLAN["wire"] == "responses" else instructor.Mode.TOOLS
    return instructor.from_openai(made, mode=mode)


def ask(question, url=URL, before=()):
    options = {"model": MODEL, "max_tokens": 1_000} if IS_MESSAGES else {"model": MODEL}
    messages = [*before, {"role": "user", "content": question}]
    return client(url).create(response_model=Place, messages=messages, **options)


def plain():
    return [ask(QUESTIONS["plain"]).model_dump_json()]


def streaming():
    options = {"model": MODEL, "max_tokens": 1_000} if IS_MESSAGES else {"model": MODEL}
    messages = [{"role": "user", "content": QUESTIONS["streaming"]}]
    parts = list(client().create_partial(response_model=Place, messages=messages, **options))
    return [Place(**parts[-1].model_dump()).model_dump_json()], len(parts)


def second_turn():
    first = ask(QUESTIONS["first"]).model_dump_json()
    talk = [{"role": "user", "content": QUESTIONS["first"]}, {"role": "assistant", "content": first}]
    return [first, ask(QUESTIONS["second"], before=talk).model_dump_json()]


def dropped():
    return [ask(QUESTIONS["dropped"], CUT_URL).model_dump_json()]


report({"plain": plain, "streaming": streaming, "second turn": second_turn, "dropped connection": dropped})
