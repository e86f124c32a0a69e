"""Edits of a JSON document: every leaf and every key of it in turn, as somebody's editor or a broken disk would."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Place = tuple[str | int, ...]
DELETED = object()
HUGE = 10**400
# What a leaf is replaced by; JSON of Python has NaN.
VALUES: dict[str, Any] = {
    "null": None,
    "text": "other",
    "empty text": "",
    "control characters": "a\x1b[31m\x00\n\u202eb",
    "surrogate": "\ud800",
    "true": True,
    "zero": 0,
    "negative": -1,
    "large": 2**62,
    "huge": HUGE,
    "half": 0.5,
    "nan": float("nan"),
    "infinite": float("-inf"),
    "list": [],
    "list of text": ["other", "other"],
    "object": {},
    "deep": [[[{"a": [None]}]]],
    "deleted": DELETED,
}


@dataclass(frozen=True)
class Edit:
    """One edit: where, what, and the document as it is then."""

    place: Place
    name: str
    text: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place))}: {self.name}"


def places(content: Any, place: Place = ()) -> Iterator[Place]:
    """Yield where something stands in a document: leaves, lists and objects, the whole not counted."""
    inner: Any = (
        content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    )
    for key, value in inner:
        yield (*place, key)
        yield from places(value, (*place, key))


def edited(content: Any, place: Place, value: Any) -> Any:
    """Return a copy with another value at a place."""
    copied = copy.deepcopy(content)
    outer = copied
    for key in place[:-1]:
        outer = outer[key]
    if value is DELETED:
        del outer[place[-1]]
    else:
        outer[place[-1]] = value
    return copied


def edits(content: Any) -> Iterator[Edit]:
    """Yield every edit of every place, and a further key in every object."""
    for place in places(content):
        for name, value in VALUES.items():
            yield Edit(place, name, json.dumps(edited(content, place, value)))
    for place in ((), *places(content)):
        inner = content
        for key in place:
            inner = inner[key]
        if isinstance(inner, dict):
            for key in ("other", "", "a\x1b[31m.b"):
                yield Edit((*place, key), "added", json.dumps(edited(content, (*place, key), 1)))
