"""What users add to a prompt, and what they get wrong in it, without asking anything else."""

import random
import re

GREETINGS = (
    "hi", "hello", "hey", "hi there", "good morning", "good afternoon", "good evening", "hello everyone", "dear all",
    "hey quick question", "sorry to bother you", "excuse me", "quick one", "ok so", "so", "um", "hi hope you are well",
)
ENDS = (
    "thanks", "thank you", "thanks in advance", "thx", "please", "pls", "cheers", "many thanks", "much appreciated",
    "thank you very much", "any help appreciated", "ta", "if you don't mind", "kind regards",
)
OPENINGS = (
    "could you tell me", "can you help me with this:", "please tell me", "i would like to know", "i was wondering",
    "just wondering", "do you happen to know", "question:", "i'd be grateful if you could tell me",
)
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def neighbour(letter: str) -> str:
    for row in KEYBOARD:
        at = row.find(letter)
        if at >= 0:
            return row[max(0, min(len(row) - 1, at + random.choice((-1, 1))))]
    return letter


def mistyped(word: str) -> str:
    if len(word) < 5 or not word.isalpha() or word.isupper():
        return word
    at = random.randrange(1, len(word) - 1)
    return random.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + neighbour(word[at].lower()) + word[at + 1 :],
        )
    )


def with_typos(text: str) -> str:
    words = text.split(" ")
    for at in random.sample(range(len(words)), min(len(words), random.choice((1, 1, 2, 3)))):
        words[at] = mistyped(words[at])
    return " ".join(words)


def with_courtesy(text: str) -> str:
    if random.random() < 0.6:
        text = f"{random.choice(GREETINGS)}{random.choice((', ', '! ', ' ', '. '))}{text}"
    if random.random() < 0.3 and "||" not in text:
        text = f"{random.choice(OPENINGS)} {text}"
    if random.random() < 0.6:
        text = f"{text.rstrip(' .')}{random.choice((', ', '. ', ' ', '! '))}{random.choice(ENDS)}"
    return text


def without_marks(text: str) -> str:
    return re.sub(r"(?<!\d)[.,!?;:](?!\d)|'", "", text)


def noisy(text: str) -> str:
    """The same question as another hand would type it."""
    for change in (with_typos, with_courtesy, without_marks):
        if random.random() < 0.45:
            text = change(text)
    return text
