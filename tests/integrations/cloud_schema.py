"""Checks what is sent to Meta against its own OpenAPI description, as far as the sample is at hand.

Any test that has a stand-in may end with `assert_sendings_fit(stand_in.requests)`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from integrations.standins.faults import Logged

SAMPLE = Path(__file__).parents[2] / "../shared/reference/samples/whatsapp_cloud/messages.yaml"
REASON = "Meta's description of the Cloud API is not here"


def assert_sendings_fit(requests: Iterable[Logged]) -> None:
    """Fail with everything that Meta's description does not allow."""
    if SAMPLE.exists():
        bodies = [one.json for one in requests if one.method == "POST" and one.path.endswith("/messages")]
        problems = [problem for body in bodies for problem in problems_of(body)]
        assert not problems, "\n".join(problems)


def problems_of(body: dict[str, Any]) -> list[str]:
    """By the schema of the message's own type: a `oneOf` would only say that none fits."""
    if "recipient" in body:  # Younger than the description, which knows only numbers.
        body = {**body, "to": body["recipient"]}
    schema = {
        "$ref": f"#/components/schemas/{str(body.get('type')).title()}Message",
        "components": {"schemas": schemas()},
    }
    errors = Draft202012Validator(schema).iter_errors(body)
    return [f"{error.json_path}: {error.message}"[:500] for error in errors]


def inbound_samples() -> list[tuple[str, dict[str, Any]]]:
    """What people may send, by the name of its schema: the examples in there."""
    return [(name, found) for name, schema in schemas().items() for found in _examples(schema)]


def _examples(schema: object) -> Iterator[dict[str, Any]]:
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for each in inner:
        if isinstance(each, dict) and {"from", "timestamp", "type"} <= each.keys() and "allOf" not in each:
            if isinstance(each["type"], str):  # else these are the names of its properties
                yield each
        else:
            yield from _examples(each)


@cache
def schemas() -> dict[str, Any]:
    found = read_yaml(SAMPLE.read_text(encoding="utf-8"), "  schemas:") if SAMPLE.exists() else {}
    return dict(found)


# The sample is YAML as a program writes it: blocks, plain and quoted scalars, no anchors, no flow style. That
# much is read here; a library for it would be one more dependency.

PLAIN_KEY = r"""(?P<plain>(?:[^\s'"#-]|-[^\s:])[^:]*)"""
KEY = re.compile(rf"""(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|{PLAIN_KEY}):(?: (?P<rest>.*))?""")
PLAIN: dict[str, Any] = {"true": True, "false": False, "null": None, "": None, "[]": [], "{}": {}}


def read_yaml(text: str, section: str) -> Any:
    """What stands under this line."""
    rows = iter(text.splitlines())
    depth = next(len(row) - len(row.lstrip()) for row in rows if row == section)
    lines = []
    for row in rows:
        indent = len(row) - len(row.lstrip())
        if row.strip() and indent <= depth:
            break
        lines.append((indent, row.strip()))
    return _Reader([line for line in lines if line[1]]).block()


class _Reader:
    def __init__(self, lines: list[tuple[int, str]]) -> None:
        self.lines = lines
        self.at = 0

    def block(self) -> Any:
        indent, content = self.lines[self.at]
        if content.startswith("- ") or content == "-":
            return list(self._items(indent))
        return dict(self._pairs(indent))

    def _items(self, indent: int) -> Iterator[Any]:
        while self._is_next(indent) and self.lines[self.at][1].startswith("-"):
            rest = self.lines[self.at][1][1:].strip()
            if rest.startswith("- ") or KEY.fullmatch(rest):
                self.lines[self.at] = (indent + 2, rest)
                yield self.block()
            else:
                self.at += 1
                yield self._scalar(rest, indent)

    def _pairs(self, indent: int) -> Iterator[tuple[str, Any]]:
        while self._is_next(indent) and (found := KEY.fullmatch(self.lines[self.at][1])):
            self.at += 1
            key = found["single"] or found["double"] or found["plain"] or ""
            yield key, self._value(found["rest"] or "", indent)

    def _value(self, rest: str, indent: int) -> Any:
        if rest or self.at == len(self.lines):
            return self._scalar(rest, indent)
        below, content = self.lines[self.at]
        is_block = below > indent or (below == indent and content.startswith("- "))
        return self.block() if is_block else None

    def _scalar(self, text: str, indent: int) -> Any:
        quote = text[0] if text[:1] in ("'", '"') else ""
        while self.at < len(self.lines) and not _is_whole(text, quote):
            if not quote and self.lines[self.at][0] <= indent:
                break
            text += " " + self.lines[self.at][1]
            self.at += 1
        if quote:
            return text[1:-1].replace("''", "'") if quote == "'" else json.loads(text.replace("\\ ", " "))
        if text in PLAIN:
            return PLAIN[text]
        return int(text) if re.fullmatch(r"-?\d+", text) else text

    def _is_next(self, indent: int) -> bool:
        return self.at < len(self.lines) and self.lines[self.at][0] == indent


def _is_whole(text: str, quote: str) -> bool:
    """A plain scalar goes on for as long as the lines are deeper."""
    if quote == "'":
        return bool(re.fullmatch(r"'(?:[^']|'')*'", text))
    if quote == '"':
        return bool(re.fullmatch(r'"(?:[^"\\]|\\.)*"', text))
    return False
