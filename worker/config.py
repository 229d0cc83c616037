"""Settings from config.toml and the environment: read once, checked whole, one line for each problem."""

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from worker import checks
from worker.keys import (
    EXAMPLES,
    default_of,
    dotted,
    expectation,
    hint_of,
    is_secret,
    keys_beside,
    leaves,
    meanings,
    path_of,
    secret_named,
    toml,
)
from worker.reading import KeyPath, Override, Source, UnreadableFile, overrides, read_file
from worker.rules import wording
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import parse_range
from worker.rules.wording import Texts, allowed_in, allowed_in_survey, check_template, check_texts, load_texts
from worker.settings import LISTED, SECTIONS, Company, Settings, SurveySettings
from worker.values import Expected, Words, Wrong, joined

__all__ = ["ConfigProblems", "Problem", "Settings", "load"]

TEXTS = Path(__file__).parent / "texts"
MISSING = checks.MISSING
TEMPLATES = ("question", "thanks_high", "thanks_neutral", "thanks_low",
             "follow_up", "follow_up_low", "follow_up_neutral", "follow_up_high")  # fmt: skip
HIDDEN = "«…»"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right: where it stands, which key, and a sentence. As text it is one line."""

    where: str
    key: str
    text: str

    def __str__(self) -> str:
        line = ": ".join(part for part in (self.where, self.key, self.text) if part)
        return "".join(letter if letter.isprintable() else "?" for letter in line)


class ConfigProblems(Exception):
    """Why the program does not start: all of it at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings from `path`, else $SARAFAN_CONFIG, else ./config.toml. Raises ConfigProblems."""
    source, problems = _read(path, environ)
    reader = _Reader(source=source, problems=problems)
    reader.take(environ)
    settings = reader.settings()
    if reader.problems:
        raise ConfigProblems(reader.in_order())
    return settings


def _read(path: Path | None, environ: Mapping[str, str]) -> tuple[Source, list[Problem]]:
    """The file; without one, the environment alone may say everything."""
    name = str(path or environ.get("SARAFAN_CONFIG") or "config.toml")
    is_named = bool(path or environ.get("SARAFAN_CONFIG"))
    if not is_named and not Path(name).exists() and any(True for _ in overrides(environ)):
        return Source(name="environment"), []
    try:
        return read_file(Path(name), name), []
    except UnreadableFile as error:
        where = f"{name}:{error.line}" if error.line else name
        language = environ.get("SARAFAN_COMPANY__LANGUAGE", "ru")
        text = error.en if language == "en" else error.ru
        raise ConfigProblems([Problem(where=where, key="", text=text)]) from None


@dataclass(slots=True)
class _Reader:
    """Collects what was read and what is wrong with it."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    wrong: set[KeyPath] = field(default_factory=set)

    @property
    def language(self) -> str:
        company = self.source.tables.get("company")
        return "en" if isinstance(company, dict) and company.get("language") == "en" else "ru"

    def in_order(self) -> list[Problem]:
        """As a person reads the file: by line, what has none at the end."""

        def line(problem: Problem) -> int:
            number = problem.where.rpartition(":")[2]
            return int(number) if number.isdigit() else 10**9

        return sorted(self.problems, key=line)

    # The environment

    def take(self, environ: Mapping[str, str]) -> None:
        """Put the variables over the file."""
        for override in overrides(environ):
            self._take(override, environ)

    def _take(self, override: Override, environ: Mapping[str, str]) -> None:
        section = override.parts[0].lower()
        if section in LISTED:
            self._say(override.variable, section, Words(
                f"таблицы [[{section}]] бывают только в файле",
                f"tables of [[{section}]] stand only in the file",
            ))  # fmt: skip
            return
        path = path_of(override.parts)
        text = override.text
        hint = hint_of(path)
        if hint is None and (secret := secret_named(path)):
            if f"{override.variable.removesuffix('_FILE').removesuffix('_file')}" in environ:
                self._say(override.variable, dotted(secret), Words(
                    "задано дважды: и значением, и файлом. Оставьте одно",
                    "is given twice, as a value and as a file. Keep one",
                ))  # fmt: skip
                return
            try:
                text = Path(text).read_text(encoding="utf-8-sig").strip()
            except (OSError, UnicodeDecodeError, ValueError):
                text = ""
            if not text:
                self._say(override.variable, dotted(secret), Words(
                    "файл с секретом пуст или не читается. Нужен путь к файлу с одной строкой",
                    "the file with the secret is empty or cannot be read. Give a file with one line",
                ))  # fmt: skip
                return
            path, hint = secret, hint_of(secret)
        if hint is None:
            while len(path) > 1 and hint_of(path[:-1]) is None:
                path = path[:-1]
            self._unknown(override.variable, path)
        else:
            self.source.put(path, self._coerced(hint, text), override.variable)

    def _coerced(self, hint: Any, text: str) -> object:
        """What the text means for a key of this type; the text itself if it means nothing there."""
        adapter = TypeAdapter[object](hint)
        for candidate in meanings(text):
            try:
                adapter.validate_python(candidate)
            except ValidationError:
                continue
            return candidate
        return text

    # The tables

    def settings(self) -> Settings:
        tables = self.source.tables
        for name in tables:
            if name not in SECTIONS and name not in LISTED:
                self._unknown(self.source.where((name,)), (name,))
        company = self._table("company", {})
        context = {"zone": getattr(company, "timezone", ZoneInfo("UTC"))}
        parts = {name: self._table(name, context) for name in SECTIONS if name != "company"}
        surveys = self._list("survey", [{"key": "nps", "metric": "nps"}])
        staff = self._list("staff", [])
        parts["texts"] = self._texts(parts["texts"], company)
        places = {
            dotted(self._named(path)): self.source.where(path) for path in leaves(self.source.tables, ())
        }
        settings = Settings(
            company=company,
            surveys=tuple(survey for _, survey in surveys),
            staff=tuple(person for _, person in staff),
            given=frozenset(places),
            places=places,
            **parts,
        )
        self._check(
            settings, {"survey": [index for index, _ in surveys], "staff": [index for index, _ in staff]}
        )
        return replace(settings, warnings=tuple(self._warnings(settings)))

    def _table(self, name: str, context: Mapping[str, object]) -> Any:
        raw = self.source.tables.get(name, {})
        return self._built(raw, (name,), context)

    def _list(self, name: str, default: list[Any]) -> list[tuple[int, Any]]:
        """Each table of a kind with its place in the file; those that cannot be used are left out."""
        raw = self.source.tables.get(name, default) or default
        if not isinstance(raw, list):
            self._wrong((name,), raw, Expected(f"таблицы [[{name}]]", f"tables of [[{name}]]", f"[[{name}]]"))
            return []
        complete = _complete_survey if name == "survey" else dict
        items = []
        for index, table in enumerate(raw):
            path = (name, index)
            filled = complete(table) if isinstance(table, dict) else table
            built = self._built(filled, path, {})
            if isinstance(built, SurveySettings) and not self.wrong & {(*path, "scale"), (*path, "options")}:
                built = self._with_bands(built, path)
            if built is not None:
                items.append((index, built))
        return items

    def _built(self, raw: Any, path: KeyPath, context: Mapping[str, object]) -> Any:
        """Read what can be read: a key that is wrong is told and then left to its default."""
        adapter = _adapter(str(path[0]))
        raw = _copied(raw)
        while True:
            try:
                return adapter.validate_python(raw, context=dict(context))
            except ValidationError as error:
                details = error.errors(include_url=False)
                for detail in details:
                    self._explain(detail, path)
                before = json.dumps(raw, default=str)
                for detail in reversed(details):
                    raw = _without(raw, detail)
                if raw is None or json.dumps(raw, default=str) == before:
                    return None if path[0] in LISTED else adapter.validate_python({})

    def _with_bands(self, survey: SurveySettings, path: KeyPath) -> SurveySettings:
        """`low` and `high` follow the scale where the metric knows them."""
        values = [option.value for option in survey.options]
        if values and len(set(values)) < max(2, len(values)):
            self._wrong((*path, "options"), values, Expected(
                "хотя бы два варианта с разными value",
                "two options at least, each with its own value",
                '[{label = "Отлично", value = 5}, {label = "Плохо", value = 2}]',
            ))  # fmt: skip
            return survey
        bands = _known_bands(survey)
        low = survey.low if survey.low is not None else bands and bands[0]
        high = survey.high if survey.high is not None else bands and bands[1]
        if low is None or high is None:
            for key, value in (("low", low), ("high", high)):
                if value is None:
                    self._wrong((*path, key), MISSING, Expected(
                        "граница: у этой шкалы нет своих low и high",
                        "a border: this scale has no low and high of its own",
                        str(min(values or [3])) if key == "low" else str(max(values or [5])),
                    ))  # fmt: skip
            return survey
        survey = replace(survey, low=low, high=high)
        try:
            scale = survey.answers
        except ValueError:
            ends = f"{min(values)}-{max(values)}" if values else survey.scale
            self._wrong((*path, "low"), low, Expected(
                f"low меньше high ({high}), и оба внутри шкалы {ends}",
                f"low below high ({high}), both on the scale {ends}",
                ends.partition("-")[0],
            ))  # fmt: skip
            return survey
        return replace(survey, scale=f"{scale.first}-{scale.last}")

    def _texts(self, own: Mapping[str, str], company: Company) -> Texts:
        """The program's words in the chosen language, with the company's own over them."""
        ours = {**_pack("ru"), **(_pack("en") if self.language == "en" else {})}
        for key, problem in check_texts(own, ours):
            allowed = allowed_in(key, ours) if key in ours else ()
            self._template(("texts", *self._spelling(key)), problem, allowed)
        good = {key: text for key, text in own.items() if key in ours}
        constants = {"company": company.name, "phone": company.phone, "privacy_url": company.privacy_url}
        return load_texts(ours, good, language=self.language, **constants)

    def _spelling(self, key: str) -> tuple[str, ...]:
        """«optout.done» may stand in the file as one quoted key or as two."""
        whole = ("texts", key)
        return (
            (key,) if whole in self.source.lines or whole in self.source.variables else tuple(key.split("."))
        )

    # What must hold together

    def _check(self, settings: Settings, places: Mapping[str, list[int]]) -> None:
        for finding in checks.findings(settings):
            path = finding.path
            if path[0] in places and isinstance(path[1], int):
                path = (path[0], places[str(path[0])][path[1]], *path[2:])
            self._wrong(path, finding.found, finding.expected)
        for later in checks.too_early(settings):
            path = tuple(later.key.split("."))
            now = tuple(toml(value) for value in later.now)
            self._wrong(path, self._raw(path), Expected(
                " или ".join(now) + " (остальное появится в следующих версиях)",
                " or ".join(now) + " (anything else comes in a later version)",
                now[-1] if path[-1] == "provider" else now[0],
            ))  # fmt: skip
        self._templates()

    def _templates(self) -> None:
        """The company's own words for a survey: an unknown placeholder would stop every question."""
        surveys = self.source.tables.get("survey")
        for index, table in enumerate(surveys if isinstance(surveys, list) else ()):
            for key in TEMPLATES:
                if isinstance(table, dict) and isinstance(text := table.get(key), str):
                    allowed = allowed_in_survey(key)
                    for problem in check_template(text, allowed):
                        self._template(("survey", index, key), problem, allowed)

    def _template(self, path: KeyPath, problem: wording.Problem, allowed: Collection[str]) -> None:
        where = self.source.line_of_placeholder(path, problem.found)
        self._say(where, dotted(self._named(path)), _template_words(problem, allowed))

    def _warnings(self, settings: Settings) -> Iterator[str]:
        for key, words in checks.warnings(settings):
            where = self.source.where(tuple(key.split(".")))
            yield f"{where}: {key}: {words.say(self.language)}"

    # What is said

    def _say(self, where: str, key: str, words: Words) -> None:
        self.problems.append(Problem(where=where, key=key, text=words.say(self.language)))

    def _unknown(self, where: str, path: KeyPath) -> None:
        """Its value is not shown: a misspelt key may hold a token."""
        like = checks.nearest(str(path[-1]), keys_beside(path))
        told = dotted(self._named((*path[:-1], like))) if like else ""
        ru, en = (f", похож {told}", f", the nearest is {told}") if told else ("", "")
        self._say(where, dotted(self._named(path)), Words(
            f"такого ключа нет{ru}. Все ключи с примерами: config.example.toml",
            f"there is no such key{en}. All keys with examples: config.example.toml",
        ))  # fmt: skip

    def _wrong(self, path: KeyPath, found: object, expected: Expected) -> None:
        """One line: found, expected, an example. Said once for each key."""
        if any(path[: len(told)] == told or told[: len(path)] == path for told in self.wrong):
            return
        self.wrong.add(path)
        named = self._named(path)
        example = EXAMPLES.get(_plain(path), "") or expected.example or default_of(path)
        example = f"{path[-1]} = {example}" if isinstance(path[-1], str) and example else example
        shown = "" if found is MISSING else HIDDEN if is_secret(path, found) else toml(found)
        sentences = Words(
            f"указано {shown}, а нужно: {expected.ru}" if shown else f"не указано, а нужно: {expected.ru}",
            f"found {shown}, expected {expected.en}" if shown else f"not given, expected {expected.en}",
        )
        tail = Words(f". Пример: {example}", f". Example: {example}") if example else Words("", "")
        text = sentences.say(self.language) + tail.say(self.language)
        self.problems.append(Problem(where=self.source.where(path), key=dotted(named), text=text))

    def _explain(self, detail: ErrorDetails, base: KeyPath) -> None:
        """Put pydantic's finding into our words."""
        path = (*base, *(part for part in detail["loc"] if part != "[key]"))
        if detail["type"] == "unexpected_keyword_argument":
            self._unknown(self.source.where(path), path)
            return
        context = detail.get("ctx", {})
        error = context.get("error")
        found = MISSING if detail["type"] in {"missing", "missing_keyword_only_argument"} else detail["input"]
        expected = error.expected if isinstance(error, Wrong) else expectation(detail["type"], context)
        if detail["type"] == "literal_error" and isinstance(found, str):
            choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            like = checks.nearest(found, choices)
            example = toml(like or choices[0]) if choices else ""
            expected = expected._replace(example=f"[{example}]" if isinstance(path[-1], int) else example)
        self._wrong(path, found, expected)

    # Paths

    def _raw(self, path: KeyPath) -> object:
        value: Any = self.source.tables
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return MISSING
        return value

    def _named(self, path: KeyPath) -> KeyPath:
        """`survey.csat.scale` says more than `survey.1.scale`."""
        if len(path) > 1 and path[0] in LISTED and isinstance(path[1], int):
            table = self._raw(path[:2])
            name = table.get("key" if path[0] == "survey" else "name") if isinstance(table, dict) else None
            shown = name if isinstance(name, str) and name.strip() else str(path[1] + 1)
            return (path[0], shown, *path[2:])
        return path


def _plain(path: KeyPath) -> str:
    """The key without its place in a list: `survey.metric`."""
    return ".".join(part for part in path if isinstance(part, str))


def _copied(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _copied(value) for key, value in raw.items()}
    return [_copied(value) for value in raw] if isinstance(raw, list) else raw


def _without(raw: Any, detail: ErrorDetails) -> Any:
    """`raw` without the key that was wrong; None where a whole table of a list cannot be used."""
    location = [part for part in detail["loc"] if part != "[key]"]
    if detail["type"] in {"missing", "missing_keyword_only_argument"}:
        while location and not isinstance(location[-1], int):  # the item that lacks it goes
            location.pop()
    if not location:
        return None
    holder = raw
    for part in location[:-1]:
        try:
            holder = holder[part]
        except (KeyError, IndexError, TypeError):
            return raw
    if isinstance(holder, dict):
        holder.pop(location[-1], None)
    elif isinstance(holder, list) and isinstance(location[-1], int) and location[-1] < len(holder):
        holder.pop(location[-1])
    return raw


def _complete_survey(table: Mapping[str, Any]) -> dict[str, Any]:
    """What the file leaves out follows the metric."""
    kind = KINDS.get(table["metric"]) if isinstance(table.get("metric"), str) else None
    if kind is None:
        return dict(table)
    # Who is asked to recommend gets something to recommend with; nobody is who lost or complained.
    is_about_friends = kind.key == "nps" and table.get("trigger") not in ("deal_lost", "complaint_closed")
    promo_in = "question" if is_about_friends else "nowhere"
    return {"scale": kind.default_scale, "delay": kind.default_delay, "promo_in": promo_in, **table}


def _known_bands(survey: SurveySettings) -> tuple[int, int] | None:
    """Of labelled options, of which some numbers may be left out, the scale that ends where they end."""
    kind = KINDS[survey.metric]
    if not survey.options:
        return kind.bands(*parse_range(survey.scale))
    values = [option.value for option in survey.options]
    last = max(values)
    ranges = ((first, last) for first in (min(values), 1, 0) if first <= min(values))
    return next((bands for ends in ranges if (bands := kind.bands(*ends))), None)


def _template_words(problem: wording.Problem, allowed: Collection[str]) -> Words:
    like = " ".join(problem.nearest)
    if problem.kind is wording.ProblemKind.KEY:
        return Words("такого текста нет" + (f". Похоже на: {like}" if like else ""),
                     "there is no such text" + (f". The nearest: {like}" if like else ""))  # fmt: skip
    if problem.kind is wording.ProblemKind.PLACEHOLDER:
        every = " ".join(f"{{{name}}}" for name in sorted(allowed))
        ru, en = (f", похожа {like}", f", the nearest is {like}") if like else ("", "")
        return Words(f"неизвестная вставка {problem.found}{ru}. Можно: {every}",
                     f"unknown placeholder {problem.found}{en}. Allowed: {every}")  # fmt: skip
    if problem.kind is wording.ProblemKind.BRACKETS:
        return Words(f"у скобки {problem.found} нет пары. Пример: [Телефон: {{phone}}]",
                     f"the bracket {problem.found} has no partner. Example: [Phone: {{phone}}]")  # fmt: skip
    return Words(f"у {problem.found} две или три формы слова. Пример: {{n:ответ/ответа/ответов}}",
                 f"{problem.found} needs two or three forms. Example: {{n:answer/answers}}")  # fmt: skip


@cache
def _adapter(table: str) -> TypeAdapter[Any]:
    return TypeAdapter(SECTIONS.get(table) or LISTED[table])


@cache
def _pack(language: str) -> dict[str, str]:
    tables = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return {key: str(text) for key, text in joined("", tables)}
