"""Texts by their keys: templates with optional parts and counted nouns, filled in and checked at start-up.

`{name}` is a placeholder. `[…]` is an optional part: it vanishes whole when a placeholder directly inside
it is empty; parts may stand inside parts. `{n:ответ/ответа/ответов}` is a number with its noun.
`⏎` is a line break.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from worker.rules.formats import cut_words, number, plural

Value = str | int | None

# Everything that a text may name. Nothing else exists.
PLACEHOLDERS = frozenset({
    "company", "phone", "about", "client_name", "manager", "crew", "scale_min", "scale_max",
    "options", "score", "a", "b", "contact_by", "promo_code", "discount", "promo_terms",
    "reward", "review_links", "privacy_url", "client", "client_phone", "deal", "deal_url", "complaint_url",
    "amount", "closed_ago", "survey", "words", "channel", "when", "reason", "who",
    "staff", "no", "deadline", "age", "topic", "period", "value", "low",
    "high", "prev", "share", "usual", "n", "m", "closed", "open",
    "verdict", "field", "name", "nearest", "cause", "remedy", "link",
})  # fmt: skip

# What every text may name, because it is the same for all clients.
OF_THE_COMPANY = frozenset({"company", "phone", "privacy_url"})
OF_A_QUESTION = OF_THE_COMPANY | {
    "client_name", "about", "manager", "crew", "scale_min", "scale_max", "options"
}  # fmt: skip
OF_AN_ANSWER = OF_A_QUESTION | {"score", "contact_by", "promo_code", "discount", "promo_terms"}

_QUESTION_KEY = re.compile(r"opening\..*|next(\..*)?|tail\..*|.*\.question(\..*)?")
_THANKS_KEY = re.compile(r".*\.thanks.*|thanks\..*")
_TOKEN = re.compile(r"\{([^{}\[\]]*)\}|([\[\]])|([{}])")


class MissingValueError(KeyError):
    """A text was filled in without a value that it cannot do without: a mistake of the program."""


class ProblemKind(StrEnum):
    KEY = "key"  # no text has this key
    PLACEHOLDER = "placeholder"  # unknown, or not at hand in this text
    BRACKETS = "brackets"  # a bracket without its partner
    FORMS = "forms"  # a counted noun needs two or three forms


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a company's own text, and what was probably meant."""

    kind: ProblemKind
    found: str
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A sequence of fixed words, slots and optional parts."""

    nodes: tuple["str | _Slot | _Part", ...]

    def slots(self) -> Iterator[_Slot]:
        """The slots directly in this part."""
        return (node for node in self.nodes if isinstance(node, _Slot))

    def all_slots(self) -> Iterator[_Slot]:
        for node in self.nodes:
            if isinstance(node, _Slot):
                yield node
            elif isinstance(node, _Part):
                yield from node.all_slots()


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language under the company's own, with values that never change."""

    language: str
    templates: Mapping[str, str]
    constants: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def has(self, key: str) -> bool:
        return bool(self.templates.get(key))

    def fill(self, key: str, **values: Value) -> str:
        """The text of this key. KeyError: no such key, or a value is missing that is not optional."""
        return self.fill_template(self.templates[key], values)

    def fill_template(self, template: str, values: Mapping[str, Value]) -> str:
        known = {**self.constants, **values}
        if words := known.get("words"):
            known["words"] = cut_words(str(words))
        return _tidy(self._render(_parse(template), known))

    def lacks(self, template: str, values: Mapping[str, Value]) -> bool:
        """Does this template need a value that is empty? Then another text has to be said."""
        known = {**self.constants, **values}
        return any(_is_empty(known.get(slot.name)) for slot in _parse(template).slots())

    def knowing(self, **constants: Value) -> "Texts":
        """The same texts with values that need not be handed in each time, such as the company's name."""
        return Texts(self.language, self.templates, MappingProxyType({**self.constants, **constants}))

    def with_own(self, own: Mapping[str, str]) -> "Texts":
        """The same texts with the company's own in place of ours."""
        return Texts(self.language, MappingProxyType({**self.templates, **own}), self.constants)

    def _render(self, part: _Part, values: Mapping[str, Value]) -> str:
        said = []
        for node in part.nodes:
            if isinstance(node, str):
                said.append(node)
            elif isinstance(node, _Slot):
                if node.name not in values:
                    raise MissingValueError(node.name)
                said.append(self._value(node, values[node.name]))
            elif not any(_is_empty(values.get(slot.name)) for slot in node.slots()):
                said.append(self._render(node, values))
        return "".join(said)

    def _value(self, slot: _Slot, value: Value) -> str:
        if slot.forms:
            count = int(value or 0)
            return f"{number(count, self.language)} {plural(count, slot.forms)}"
        return "" if value is None else str(value)


def load_texts(
    defaults: Mapping[str, str],
    own: Mapping[str, str] | None = None,
    *,
    language: str = "ru",
    **constants: Value,
) -> Texts:
    """Our texts of one language (`worker/texts/<language>.toml`, one flat table) under the company's own."""
    return Texts(language, MappingProxyType({**defaults, **(own or {})}), MappingProxyType(dict(constants)))


def placeholders_of(template: str) -> frozenset[str]:
    return frozenset(slot.name for slot in _parse(template).all_slots())


def allowed_in(key: str, defaults: Mapping[str, str]) -> frozenset[str]:
    """What the company's own text of this key may name: what is at hand when it is said."""
    allowed = placeholders_of(defaults[key]) | OF_THE_COMPANY
    if _QUESTION_KEY.fullmatch(key):
        return allowed | OF_A_QUESTION
    return allowed | OF_AN_ANSWER if _THANKS_KEY.fullmatch(key) else allowed


def check_template(template: str, allowed: Collection[str]) -> list[Problem]:
    """What would go wrong with this text: unknown placeholders with the nearest allowed, odd brackets.

    >>> check_template("Оценка {skore}", {"score"})
    [Problem(kind=<ProblemKind.PLACEHOLDER: 'placeholder'>, found='{skore}', nearest=('{score}',))]
    """
    problems: list[Problem] = []
    depth = 0
    for token in _TOKEN.finditer(template):
        slot, square, _curly = token.groups()
        if slot is not None:
            problems += _check_slot(slot, allowed)
            continue
        depth += {"[": 1, "]": -1}.get(square or "", 0)
        if square is None or depth < 0:
            problems.append(Problem(ProblemKind.BRACKETS, token[0]))
            depth = max(depth, 0)
    if depth:
        problems.append(Problem(ProblemKind.BRACKETS, "["))
    return problems


def check_texts(own: Mapping[str, str], defaults: Mapping[str, str]) -> list[tuple[str, Problem]]:
    """The problems of `[texts]`, each with its key."""
    found: list[tuple[str, Problem]] = []
    for key, template in own.items():
        if key in defaults:
            found += [(key, problem) for problem in check_template(template, allowed_in(key, defaults))]
        else:
            nearest = difflib.get_close_matches(key, defaults, n=3, cutoff=0.6)
            found.append((key, Problem(ProblemKind.KEY, key, tuple(nearest))))
    return found


def allowed_in_survey(name: str) -> frozenset[str]:
    """What a survey's own `question`, `thanks_…` or `follow_up…` may name."""
    return OF_A_QUESTION if name == "question" else OF_AN_ANSWER


def _check_slot(slot: str, allowed: Collection[str]) -> list[Problem]:
    name, colon, forms = slot.partition(":")
    if name not in allowed:
        close = difflib.get_close_matches(name.strip().lower(), sorted(allowed), n=1, cutoff=0.5)
        return [Problem(ProblemKind.PLACEHOLDER, f"{{{slot}}}", tuple(f"{{{word}}}" for word in close))]
    if colon and forms.count("/") not in (1, 2):
        return [Problem(ProblemKind.FORMS, f"{{{slot}}}")]
    return []


@lru_cache(maxsize=1024)
def _parse(template: str) -> _Part:
    """The tree of a template. Raises ValueError for odd brackets: `check_template` finds them first."""
    open_parts: list[list[str | _Slot | _Part]] = [[]]
    at = 0
    for token in _TOKEN.finditer(template):
        open_parts[-1].append(template[at : token.start()].replace("⏎", "\n"))
        at = token.end()
        slot, square, curly = token.groups()
        if slot is not None:
            name, _, forms = slot.partition(":")
            open_parts[-1].append(_Slot(name, tuple(forms.split("/")) if forms else ()))
        elif square == "[":
            open_parts.append([])
        elif square == "]" and len(open_parts) > 1:
            part = _Part(tuple(open_parts.pop()))
            open_parts[-1].append(part)
        else:
            raise ValueError(f"{square or curly} without its partner in «{template}»")
    if len(open_parts) > 1:
        raise ValueError(f"[ without its partner in «{template}»")
    open_parts[-1].append(template[at:].replace("⏎", "\n"))
    return _Part(tuple(open_parts[0]))


def _is_empty(value: Value) -> bool:
    return value is None or value == ""


def _tidy(text: str) -> str:
    """Clear away what vanished parts leave: double spaces, empty lines, a separator at a line's start."""
    text = re.sub(r" {2,}", " ", text)
    text = re.sub(r"(?m)^[ ]*· ", "", text)
    text = re.sub(r"(?m)[ ]+$", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip(" \n")
