"""What a query asks for, in PHP's brackets, as the stand-in of amoCRM reads it: filters, order, pages."""

import re
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from integrations.standins.amocrm_model import LEADS, CustomField, Entity, Event, Json

AnyThing = TypeVar("AnyThing")
DEFAULT_LIMIT = 50


class Query:
    """`filter[id][]=1&filter[id][]=2` is `values("filter", "id") == ["1", "2"]`."""

    def __init__(self, text: str) -> None:
        self.pairs = parse_qsl(text, keep_blank_values=True)
        self._parsed = [(_keys(name), value) for name, value in self.pairs]

    def one(self, *keys: str, default: str = "") -> str:
        """The last value under exactly these keys."""
        return next((value for path, value in reversed(self._parsed) if path == keys), default)

    def values(self, *keys: str) -> list[str]:
        """One value, or many in `[]` or `[0]`, `[1]` …"""
        return [
            value
            for path, value in self._parsed
            if path == keys or (path[:-1] == keys and (not path[-1] or path[-1].isdigit()))
        ]

    def bounds(self, *keys: str) -> tuple[float, float] | None:
        """`[from]` and `[to]`, both inclusive; None where neither is given as a number."""
        low, high = _number(self.one(*keys, "from")), _number(self.one(*keys, "to"))
        if low is None and high is None:
            return None
        return (float("-inf") if low is None else low, float("inf") if high is None else high)

    def pairs_of(self, first: str, second: str, *keys: str) -> set[tuple[int, int]]:
        """`[0][pipeline_id]=1&[0][status_id]=2` …: only whole pairs, halves are dropped."""
        rows: dict[str, dict[str, str]] = {}
        for path, value in self._parsed:
            if path[: len(keys)] == keys and len(path) == len(keys) + 2:
                rows.setdefault(path[-2], {})[path[-1]] = value
        return {
            (int(row[first]), int(row[second]))
            for row in rows.values()
            if row.get(first, "").isdigit() and row.get(second, "").isdigit()
        }

    def field_values(self) -> dict[int, list[str]]:
        """`filter[custom_fields_values][3001][]=4001`"""
        found: dict[int, list[str]] = {}
        for path, value in self._parsed:
            is_value = len(path) == 3 or (len(path) == 4 and (not path[3] or path[3].isdigit()))
            if path[:2] == ("filter", "custom_fields_values") and is_value and path[2].isdigit():
                found.setdefault(int(path[2]), []).append(value)
        return found

    @property
    def with_(self) -> set[str]:
        return {part for value in self.values("with") for part in value.split(",")}

    @property
    def page(self) -> int:
        return max(1, int(_number(self.one("page")) or 1))

    def limit(self, largest: int) -> int:
        return min(largest, max(1, int(_number(self.one("limit")) or DEFAULT_LIMIT)))

    def is_limit_within(self, largest: int) -> bool:
        return (_number(self.one("limit")) or DEFAULT_LIMIT) <= largest

    def with_page(self, page: int, limit: int) -> str:
        """The query as amoCRM repeats it in its links: encoded, with page and limit at the end."""
        kept = [(name, value) for name, value in self.pairs if name not in ("page", "limit")]
        return urlencode([*kept, ("page", page), ("limit", limit)])


def matching_entities(
    kind: str, entities: Iterable[Entity], query: Query, *, filtered: bool, ordered: bool = True
) -> list[Entity]:
    """Leads, contacts or companies as `query` wants them; without the option every `filter[…]` is ignored."""
    words, tests = query.one("query"), _tests(kind, query) if filtered else []
    found = [entity for entity in entities if not entity.is_deleted and _has_words(entity, words)]
    found = [entity for entity in found if all(test(entity) for test in tests)]
    found.sort(key=lambda entity: entity.id)
    orders = ("created_at", "updated_at", "id") if kind == LEADS else ("updated_at", "id")
    return _ordered(found, query, orders) if ordered else found


def _ordered(things: list[AnyThing], query: Query, names: Sequence[str]) -> list[AnyThing]:
    """By the first order that is known; others are ignored without an error."""
    for name in names:
        if direction := query.one("order", name):
            return sorted(things, key=attrgetter(name), reverse=direction.lower() == "desc")
    return things


def _tests(kind: str, query: Query) -> list[Callable[[Any], bool]]:
    same = ["id", "name", "created_by", "updated_by", "responsible_user_id"]
    ranges = ["created_at", "updated_at"]
    if kind == LEADS:
        same += ["pipeline_id"]
        ranges += ["closed_at", "price"]
    tests: list[Callable[[Any], bool]] = []
    for name in same:
        if wanted := query.values("filter", name):
            tests.append(_is_one_of(name, wanted))
    for name in ranges:
        if bounds := query.bounds("filter", name):
            tests.append(_is_within(name, bounds))
    statuses = query.pairs_of("pipeline_id", "status_id", "filter", "statuses")
    if kind == LEADS and statuses:
        tests.append(lambda lead: (lead.pipeline_id, lead.status_id) in statuses)
    for field_id, values in query.field_values().items():
        tests.append(_has_field(field_id, values))
    return tests


def _is_one_of(name: str, wanted: Sequence[str]) -> Callable[[Any], bool]:
    known = frozenset(wanted)

    def test(thing: Any) -> bool:
        value = getattr(thing, name)
        return str(int(value) if isinstance(value, bool) else value) in known

    return test


def _is_within(name: str, bounds: tuple[float, float]) -> Callable[[Any], bool]:
    low, high = bounds

    def test(thing: Any) -> bool:
        value = getattr(thing, name)
        return value is not None and low <= value <= high

    return test


def _has_field(field_id: int, wanted: Sequence[str]) -> Callable[[Any], bool]:
    def test(entity: Any) -> bool:
        values = entity.fields.get(field_id, [])
        return any(_filter_text(value) in wanted for value in values)

    return test


def _filter_text(value: Json) -> str:
    """What a filter compares: the choice's id, 1 and 0 for flags, else the value."""
    if value.get("enum_id"):
        return str(value["enum_id"])
    return str(int(value["value"])) if isinstance(value["value"], bool) else str(value["value"])


def _has_words(entity: Entity, words: str) -> bool:
    texts = [entity.name, *(str(value["value"]) for values in entity.fields.values() for value in values)]
    return not words or any(words.casefold() in text.casefold() for text in texts)


def matching_fields(fields: Iterable[CustomField], query: Query) -> list[CustomField]:
    types = query.values("filter", "type")
    return [custom for custom in fields if not types or custom.type in types]


def matching(
    things: Iterable[AnyThing], query: Query, names: Sequence[str], ranges: Sequence[str]
) -> list[AnyThing]:
    """Notes and tasks: their filters need no option."""
    tests = [_is_one_of(name, wanted) for name in names if (wanted := query.values("filter", name))]
    tests += [_is_within(name, bounds) for name in ranges if (bounds := _moments(query, name))]
    found = [thing for thing in things if all(test(thing) for test in tests)]
    return _ordered(found, query, ("updated_at", "created_at", "complete_till", "id"))


def _moments(query: Query, name: str) -> tuple[float, float] | None:
    """`[from]` and `[to]`, or one number: after it."""
    after = _number(query.one("filter", name))
    return query.bounds("filter", name) or (None if after is None else (after, float("inf")))


def matching_events(events: Iterable[Event], query: Query) -> list[Event]:
    """Newest first. The caller has refused ids without an entity."""
    tests: list[Callable[[Any], bool]] = []
    names = {"id": "id", "created_by": "created_by", "type": "type", "entity": "entity_type",
             "entity_id": "entity_id"}  # fmt: skip
    for name, attribute in names.items():
        if wanted := [part for value in query.values("filter", name) for part in value.split(",")]:
            tests.append(_is_one_of(attribute, wanted))
    if bounds := _moments(query, "created_at"):
        tests.append(_is_within("created_at", bounds))
    for side in ("value_before", "value_after"):
        if pairs := query.pairs_of("pipeline_id", "status_id", "filter", side, "leads_statuses"):
            tests.append(_has_status(side, pairs))
    return [event for event in reversed(list(events)) if all(test(event) for test in tests)]


def _has_status(side: str, pairs: set[tuple[int, int]]) -> Callable[[Any], bool]:
    def test(event: Any) -> bool:
        statuses = [value["lead_status"] for value in getattr(event, side) if "lead_status" in value]
        return any((status["pipeline_id"], status["id"]) in pairs for status in statuses)

    return test


def _keys(name: str) -> tuple[str, ...]:
    """`filter[id][]` → ("filter", "id", "")"""
    head, _, rest = name.partition("[")
    return (head, *re.findall(r"([^\[\]]*)\]", rest)) if rest else (head,)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?\d{1,15}(\.\d+)?", text) else None
