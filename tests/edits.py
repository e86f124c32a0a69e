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
    content: Any

    @property
    def text(self) -> str:
        return json.dumps(self.content)

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
    """Return a document with another value at a place; what stands beside the way there is shared, not copied."""
    copied, (key, *further) = copy.copy(content), place
    if further:
        copied[key] = edited(copied[key], tuple(further), value)
    elif value is DELETED:
        del copied[key]
    else:
        copied[key] = value
    return copied


def edits(content: Any) -> Iterator[Edit]:
    """Yield every edit of every place, and a further key in every object."""
    for place in places(content):
        for name, value in VALUES.items():
            yield Edit(place, name, edited(content, place, value))
    for place in ((), *places(content)):
        inner = content
        for key in place:
            inner = inner[key]
        if isinstance(inner, dict):
            for key in ("other", "", "a\x1b[31m.b"):
                yield Edit((*place, key), "added", edited(content, (*place, key), 1))
