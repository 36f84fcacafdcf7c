"""Validates JSON lines against the models of Open Responses: {"model": ..., "value": ...}, or null for an event's own.

Prints one line for each: the faults, as a JSON list.
"""

import inspect
import json
import sys
from enum import EnumMeta
from typing import Any

from openresponses_types import types
from pydantic import BaseModel, ValidationError

# The published schema has an object or null here; the generator of the package has lost the object.
types.JsonSchemaResponseFormat.model_fields["schema_"].annotation = dict[str, Any] | None
for model in (
    types.JsonSchemaResponseFormat,
    types.TextField,
    types.ResponseResource,
    *(value for name, value in vars(types).items() if name.endswith("StreamingEvent")),
):
    model.model_rebuild(force=True)


def events() -> dict[str, type[BaseModel]]:
    """The model of each event, by the only value of its field `type`."""
    by_type: dict[str, type[BaseModel]] = {}
    for name, model in vars(types).items():
        if inspect.isclass(model) and name.endswith("StreamingEvent"):
            kind = model.model_fields["type"].annotation
            if isinstance(kind, EnumMeta):
                by_type.update({member.value: model for member in kind})
    return by_type


EVENTS = events()


def faults_of(sample: dict[str, Any]) -> list[str]:
    value = sample["value"]
    name = sample["model"]
    model = EVENTS.get(value.get("type")) if name is None else getattr(types, name)
    if model is None:
        return [f"there is no event {value.get('type')}"]
    try:
        model.model_validate(value)
    except ValidationError as error:
        return [f"{model.__name__}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return []


for line in sys.stdin:
    print(json.dumps(faults_of(json.loads(line))))
