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
SHORT_FORMS = {
    "you": "u", "are": "r", "your": "ur", "please": "pls", "because": "bc", "with": "w/", "without": "w/o", "about": "abt",
    "people": "ppl", "tomorrow": "tmrw", "tonight": "2nite", "minutes": "mins", "minute": "min", "hours": "hrs", "hour": "hr",
    "weeks": "wks", "week": "wk", "months": "mths", "month": "mth", "years": "yrs", "year": "yr", "seconds": "secs",
    "document": "doc", "documents": "docs", "information": "info", "picture": "pic", "pictures": "pics", "message": "msg",
    "address": "addr", "appointment": "appt", "approximately": "approx", "versus": "vs", "government": "govt",
    "department": "dept", "maximum": "max", "minimum": "min", "temperature": "temp", "question": "q", "should": "shd",
    "through": "thru", "between": "btwn", "before": "b4", "and": "&", "percent": "%", "per cent": "%", "number": "no.",
    "specification": "spec", "laboratory": "lab", "examination": "exam", "application": "app", "applications": "apps",
    "configuration": "config", "repository": "repo", "directory": "dir", "database": "db", "password": "pw",
    "management": "mgmt", "manager": "mgr", "company": "co", "account": "acct", "received": "rcvd", "reference": "ref",
    "what is": "what's", "do not": "don't", "does not": "doesn't", "cannot": "can't", "is not": "isn't", "it is": "it's",
    "i am": "i'm", "i have": "i've", "going to": "gonna", "want to": "wanna", "kilograms": "kg", "kilometres": "km",
    "metres": "m", "grams": "g", "degrees": "deg", "january": "jan", "february": "feb", "september": "sept",
    "october": "oct", "november": "nov", "december": "dec", "monday": "mon", "tuesday": "tue", "wednesday": "wed",
    "thursday": "thu", "friday": "fri", "saturday": "sat", "sunday": "sun",
}
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


def shortened(text: str) -> str:
    """Some of the words in their short forms, or the short forms written out."""
    forms = SHORT_FORMS if random.random() < 0.8 else {short: long for long, short in SHORT_FORMS.items() if short.isalpha()}
    return re.sub(
        r"(?<![\w'])(" + "|".join(map(re.escape, sorted(forms, key=len, reverse=True))) + r")(?![\w'])",
        lambda match: forms[match[0].lower()] if random.random() < 0.7 else match[0],
        text,
        flags=re.IGNORECASE,
    )


def in_small_letters(text: str) -> str:
    return text.lower()


def without_marks(text: str) -> str:
    return re.sub(r"(?<!\d)[.,!?;:](?!\d)|'", "", text)


def noisy(text: str) -> str:
    """The same question as another hand would type it."""
    for change in (shortened, with_typos, with_courtesy, without_marks, in_small_letters):
        if random.random() < 0.4:
            text = change(text)
    return text
