"""Prints what the installed client knows of the protocol, by its names on the wire, as one JSON object."""

import json
from dataclasses import MISSING, fields
from typing import get_args

from unbroken import ContinueRequest, Generation, GenerationRequest
from unbroken._error_statuses import ERROR_STATUSES
from unbroken._wire import wire_name
from unbroken.events import Event, UnknownEvent


def fields_of(cls):
    return {wire_name(field.name): field.default is MISSING for field in fields(cls) if field.name != "first"}


def type_of(cls):
    return next(field.default for field in fields(cls) if field.name == "type")


print(
    json.dumps(
        {
            "events": {type_of(cls): fields_of(cls) for cls in get_args(Event) if cls is not UnknownEvent},
            "view": fields_of(Generation),
            "request": [wire_name(name) for name in GenerationRequest.__annotations__],
            "continueRequest": [wire_name(name) for name in ContinueRequest.__annotations__],
            "statuses": dict(ERROR_STATUSES),
        }
    )
)
