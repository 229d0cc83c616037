"""Checks calls of MAX's Bot API against its own description, as far as the sample is at hand.

Any test that has a stand-in may end with `assert_calls_fit(stand_in.requests)`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema

from integrations.standins.faults import Logged

SAMPLE = Path(__file__).parents[2] / "../shared/reference/samples/max/schema.yaml"
REASON = "the description of MAX's Bot API is not here"
REFERENCE = "#/components/schemas/"

Json = dict[str, Any]


def assert_calls_fit(requests: Iterable[Logged]) -> None:
    """Fail with every parameter and body that MAX does not know, misses or has with another type."""
    if SAMPLE.exists():
        problems = [problem for request in requests for problem in problems_of(request)]
        assert not problems, "\n".join(problems)


def problems_of(request: Logged) -> list[str]:
    if request.path.startswith("/upload/"):
        return []  # The address of a picture lies elsewhere, and is not described.
    path = re.sub(r"^/messages/.+", "/messages/{messageId}", request.path)
    operation = description()["paths"].get(path, {}).get(request.method.lower())
    if operation is None:
        return [f"there is no {request.method} {request.path}"]
    body = operation.get("requestBody")
    found = list(_query_problems(operation, parse_qs(request.query, keep_blank_values=True)))
    if body is not None:
        name = body["content"]["application/json"]["schema"]["$ref"].removeprefix(REFERENCE)
        found += problems_in(name, json.loads(request.body))
    elif request.body:
        found.append("a body where none belongs")
    return [f"{request.method} {request.path}: {problem}" for problem in found]


def problems_in(name: str, value: object) -> list[str]:
    """What is wrong with a value of this schema; what the schema does not know is wrong, too."""
    return [*_errors(name, value), *_unknown(name, value)]


def _query_problems(operation: Json, query: Mapping[str, list[str]]) -> Iterator[str]:
    known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
    yield from (f"the parameter «{name}» is unknown" for name in query if name not in known)
    for name, one in known.items():
        if one.get("required") and name not in query:
            yield f"the parameter «{name}» is missing"
        schema = one.get("schema", {})
        if schema.get("type") == "integer" and name in query:
            number = int(query[name][0])
            if not schema.get("minimum", number) <= number <= schema.get("maximum", number):
                yield f"the parameter «{name}» is out of bounds: {number}"


def _errors(name: str, value: object) -> Iterator[str]:
    for error in jsonschema.Draft7Validator(_schema(name)).iter_errors(value):
        for leaf in _leaves(error):
            yield f"{'.'.join(map(str, leaf.absolute_path))}: {leaf.message}"


def _leaves(error: jsonschema.ValidationError) -> Iterator[jsonschema.ValidationError]:
    """What is wrong inside something that might also have been null."""
    inner = [each for each in error.context or () if each.schema_path[0] == 1]
    if not inner:
        yield error
    for each in inner:
        yield from _leaves(each)


# OpenAPI's own words, said as JSON Schema says them


def _schema(name: str) -> Json:
    return {**as_json_schema(_named(name)), "components": {"schemas": _all_schemas()}}


@cache
def _all_schemas() -> Json:
    return {name: as_json_schema(schema) for name, schema in description()["components"]["schemas"].items()}


def as_json_schema(schema: Any) -> Any:
    if isinstance(schema, list):
        return [as_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = {"nullable", "discriminator", "example", "description", "readOnly", "format"}
    if "discriminator" in schema:
        left_out.add("oneOf")  # Each of them refers back to this one.
    plain = {key: as_json_schema(value) for key, value in schema.items() if key not in left_out}
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") is True else plain


def _named(name: str) -> Json:
    named: Json = description()["components"]["schemas"][name]
    return named


def _unknown(name: str, value: object, where: str = "") -> Iterator[str]:
    """Follows the discriminator: a button of type «callback» has what CallbackButton has."""
    if not isinstance(value, dict):
        return
    schema = _named(name)
    mapping = schema.get("discriminator", {}).get("mapping", {})
    if mapping:
        kind = mapping.get(value.get("type"))
        if kind is None:
            yield f"{where}type: {value.get('type')!r} is unknown"
            return
        name = kind.removeprefix(REFERENCE)
        yield from (f"{where}{problem}" for problem in _errors(name, value))
    properties = _properties(_named(name))
    for key, inner in value.items():
        if key not in properties:
            yield f"{where}{key} is unknown to {name}"
            continue
        yield from _unknown_within(properties[key], inner, f"{where}{key}.")


def _unknown_within(schema: Json, value: object, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _unknown_within(schema.get("items", {}), one, where)
    for reference in [schema.get("$ref"), *(one.get("$ref") for one in schema.get("allOf", ()))]:
        if reference:
            yield from _unknown(reference.removeprefix(REFERENCE), value, where)


def _properties(schema: Json) -> Json:
    found: Json = dict(schema.get("properties", {}))
    for one in schema.get("allOf", ()):
        base = _named(one["$ref"].removeprefix(REFERENCE)) if "$ref" in one else one
        found |= _properties(base)
    return found


# As much of YAML as the description is written in


@cache
def description() -> Json:
    whole, _ = _block(list(_lines(SAMPLE.read_text(encoding="utf-8"))), 0, 0)
    assert isinstance(whole, dict)
    return whole


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Indents and contents; what goes on in the next line is joined, blank lines are left out."""
    waiting: tuple[int, str] | None = None
    for line in text.splitlines():
        content = line.strip()
        if not content:
            continue
        indent = len(line) - len(line.lstrip())
        if waiting is not None and (_is_open(waiting[1]) or indent > _deepest(*waiting)):
            waiting = (waiting[0], f"{waiting[1]} {content}")
            continue
        if waiting is not None:
            yield waiting
        waiting = (indent, content)
    if waiting is not None:
        yield waiting


KEY = re.compile(r"(?:- )?(?P<key>'[^']*'|[\w$/{}.-]+):(?: (?P<value>.*))?$")


def _deepest(indent: int, content: str) -> float:
    """What stands deeper than this goes on with the text that begins here; infinite where none does."""
    found = KEY.match(content)
    if found is None:
        return indent
    if not found["value"]:
        return float("inf")
    return indent + 2 if content.startswith("- ") else indent


def _is_open(content: str) -> bool:
    """A quoted text that has not ended yet."""
    found = KEY.match(content)
    value = (found["value"] or "") if found else content.removeprefix("- ")
    if value[:1] not in ("'", '"'):
        return False
    plain = value.replace("\\\\", "").replace('\\"', "").replace("''", "") if len(value) > 2 else value
    return len(plain) < 2 or not plain.endswith(value[0])


def _block(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[Any, int]:
    if lines[at][1].startswith("- "):
        return _list(lines, at, indent)
    table: Json = {}
    while at < len(lines) and lines[at][0] == indent and not lines[at][1].startswith("- "):
        found = KEY.match(lines[at][1])
        assert found, lines[at]
        key, value = found["key"].strip("'"), found["value"]
        at += 1
        if value:
            table[key] = _scalar(value)
        elif at < len(lines) and (
            lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("- "))
        ):
            table[key], at = _block(lines, at, lines[at][0])
        else:
            table[key] = None
    return table, at


def _list(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
        content = lines[at][1].removeprefix("- ")
        if KEY.match(content):
            # The item is a table whose first key stands behind the dash.
            lines[at] = (indent + 2, content)
            item, at = _block(lines, at, indent + 2)
        else:
            item, at = _scalar(content), at + 1
        items.append(item)
    return items, at


def _scalar(text: str) -> Any:
    if text[:1] in ("'", '"'):
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False, "[]": [], "{}": {}, "null": None}.get(text, text)
