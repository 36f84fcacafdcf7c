"""aider (PyPI), by its own scripting interface. It has no tools: its round trip is an edit of a file."""

import os
import tempfile

from aider.coders import Coder
from aider.io import InputOutput
from aider.models import Model

from report import CUT_URL, KEY, MODEL, PLAN, QUESTIONS, URL, report

os.chdir(tempfile.mkdtemp())
PREFIX = "anthropic" if PLAN["wire"] == "messages" else "openai"


def coder(url=URL, is_streaming=False):
    os.environ["OPENAI_API_KEY"] = os.environ["ANTHROPIC_API_KEY"] = KEY
    os.environ["OPENAI_API_BASE"] = f"{url}/v1"
    os.environ["ANTHROPIC_API_BASE"] = url
    io = InputOutput(yes=True, pretty=False, fancy_input=False)
    model = Model(f"{PREFIX}/{MODEL}")
    return Coder.create(main_model=model, io=io, edit_format="ask", stream=is_streaming, use_git=False)


def second_turn():
    talk = coder()
    return [talk.run(QUESTIONS["first"]), talk.run(QUESTIONS["second"])]


def streaming():
    talk = coder(is_streaming=True)
    chunks, show = [], talk.show_send_output_stream

    def counted(completion):
        return show(chunks.append(chunk) or chunk for chunk in completion)

    talk.show_send_output_stream = counted
    return [talk.run(QUESTIONS["streaming"])], len(chunks)


report(
    {
        "plain": lambda: [coder().run(QUESTIONS["plain"])],
        "streaming": streaming,
        "second turn": second_turn,
        "dropped connection": lambda: [coder(CUT_URL).run(QUESTIONS["dropped"])],
    }
)
