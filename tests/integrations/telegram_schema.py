"""Checks calls of the Bot API against Telegram's own description of it, as far as the sample is at hand.

Any test that has a stand-in may end with `assert_calls_fit(stand_in.requests)`.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from integrations.standins.faults import Logged
from integrations.standins.telegram_parameters import parameters_of

SAMPLE = Path(__file__).parents[2] / "../shared/reference/samples/telegram/bot-api-10.1.json"
REASON = "the machine-readable copy of the Bot API is not here"

SIMPLE: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Float": (int, float),
    "Boolean": bool,
}


def assert_calls_fit(requests: Iterable[Logged]) -> None:
    """Fail with every parameter that the Bot API does not know, misses or has with another type."""
    if SAMPLE.exists():
        problems = [problem for request in requests for problem in problems_of(request)]
        assert not problems, "\n".join(problems)


def problems_of(request: Logged) -> list[str]:
    method = request.path.rpartition("/")[2]
    parameters = parameters_of(request.headers.get("content-type", ""), request.body)
    return problems_in(method, {**dict(parse_qsl(request.query)), **parameters})


def problems_in(method: str, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with one call; text values stand for numbers, booleans and JSON, as in a form."""
    known = _description()["methods"].get(method)
    if known is None:
        return [f"there is no method {method}"]
    typed = {
        name: _typed(value, field["types"])
        for field in known.get("fields", ())
        for name, value in parameters.items()
        if name == field["name"]
    }
    unknown = {name: value for name, value in parameters.items() if name not in typed}
    return _fields(method, {**unknown, **typed}, known.get("fields", ()))


def problems_of_type(kind: str, value: Any) -> list[str]:
    """What is wrong with something that Telegram says: an `Update`, a `Message` …"""
    return _problems(kind, value, kind)


@cache
def _description() -> dict[str, Any]:
    description: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return description


def _typed(value: Any, types: list[str]) -> Any:
    """Undo the form: «9» for a String stays a text, for an Integer it is a number."""
    if not isinstance(value, str) or types == ["String"]:
        return value
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return value if "String" in types and not _fits(parsed, types) else parsed


def _fits(value: Any, types: list[str]) -> bool:
    return any(not _problems("", value, kind) for kind in types)


def _fields(where: str, values: Mapping[str, Any], fields: Iterable[Mapping[str, Any]]) -> list[str]:
    known = {field["name"]: field for field in fields}
    problems = [f"{where}: «{name}» is unknown" for name in values if name not in known]
    problems += [
        f"{where}: «{n}» is missing" for n, field in known.items() if field["required"] and n not in values
    ]
    for name, field in known.items():
        if name in values and not _fits(values[name], field["types"]):
            first = _problems(f"{where}.{name}", values[name], field["types"][0])
            problems += first or [f"{where}.{name}: {values[name]!r} is no {' or '.join(field['types'])}"]
    return problems


def _problems(where: str, value: Any, kind: str) -> list[str]:
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        kind = kind.removeprefix("Array of ")
        return [problem for element in value for problem in _problems(where, element, kind)]
    if kind == "InputFile" and isinstance(value, bytes):
        return []  # sent along in the same request
    if kind in SIMPLE:
        is_right = isinstance(value, SIMPLE[kind]) and (kind == "Boolean" or not isinstance(value, bool))
        return [] if is_right else [f"{where}: {value!r} is no {kind}"]
    known = _description()["types"][kind]
    if subtypes := known.get("subtypes"):
        return [] if _fits(value, subtypes) else [f"{where}: {value!r} is no {kind}"]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind}"]
    return _fields(f"{where} ({kind})", value, known.get("fields", ()))
