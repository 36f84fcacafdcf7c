"""Prints the licence of each distribution that the client brings, as JSON: those that it requires, and theirs."""

import importlib.metadata as metadata
import json
import re

OF_CLASSIFIERS = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
}


def licence_of(name: str) -> str | None:
    fields = metadata.metadata(name)
    classifiers = (OF_CLASSIFIERS.get(text) for text in fields.get_all("Classifier") or [])
    stated = fields.get("License-Expression") or fields.get("License")
    return stated or next((licence for licence in classifiers if licence), None)


def is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


found: dict[str, str | None] = {}
pending = ["unbroken"]
while pending:
    name = pending.pop()
    if name in found or not is_installed(name):
        continue
    found[name] = licence_of(name)
    for requirement in metadata.requires(name) or []:
        if "extra ==" not in requirement:
            pending.append(re.match(r"[\w.-]+", requirement).group())
print(json.dumps(found))
