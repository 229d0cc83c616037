"""Settings from config.toml and the environment: read once, checked whole, one line for each problem."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import InitSettingsSource

from worker import checks
from worker.findings import MISSING
from worker.keys import (
    EXAMPLES,
    KINDS_OF_VALUE,
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
from worker.reading import KeyPath, Source, UnreadableFile, Variables, overrides, read_file
from worker.rules import wording
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import parse_range
from worker.rules.wording import Texts, allowed_in, allowed_in_survey, check_template, check_texts, load_texts
from worker.settings import LISTED, Company, Settings, SurveySettings
from worker.values import TABLE, Expected, Words, Wrong, joined

__all__ = ["ConfigProblems", "Problem", "Settings", "load"]

TEXTS = Path(__file__).parent / "texts"
TEMPLATES = ("question", "thanks_high", "thanks_neutral", "thanks_low",
             "follow_up", "follow_up_low", "follow_up_neutral", "follow_up_high")  # fmt: skip
LACKING = frozenset({"missing", "missing_keyword_only_argument"})  # as pydantic calls it
HIDDEN = "«…»"
GONE = None  # TOML has no such value


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
    reader = _Reader(source=_read(path, environ))
    for variable, parts in overrides(environ):
        reader.take(variable, parts, environ)
    settings = reader.settings()
    if reader.problems:
        raise ConfigProblems(reader.in_order())
    return settings


def _read(path: Path | None, environ: Mapping[str, str]) -> Source:
    """The file; without one, the environment alone may say everything."""
    name = str(path or environ.get("SARAFAN_CONFIG") or "config.toml")
    is_named = bool(path or environ.get("SARAFAN_CONFIG"))
    if not is_named and not Path(name).exists() and any(True for _ in overrides(environ)):
        return Source(name="environment")
    try:
        return read_file(Path(name), name)
    except UnreadableFile as error:
        where = f"{name}:{error.line}" if error.line else name
        text = error.words.say(environ.get("SARAFAN_COMPANY__LANGUAGE", "ru"))
        raise ConfigProblems([Problem(where=where, key="", text=text)]) from None


@dataclass(slots=True)
class _Reader:
    """Collects what was read and what is wrong with it."""

    source: Source
    problems: list[Problem] = field(default_factory=list)
    wrong: set[KeyPath] = field(default_factory=set)
    tables: dict[str, Any] = field(default_factory=dict)  # of the file with the variables over them
    usable: dict[str, Any] = field(default_factory=dict)  # of `tables`, with GONE for items of lists

    @property
    def language(self) -> str:
        company = (self.tables or self.source.tables).get("company")
        said = company.get("language") if isinstance(company, dict) else ""
        return "en" if self.source.values.get(("company", "language"), said) == "en" else "ru"

    def in_order(self) -> list[Problem]:
        """As a person reads the file: by line, what has none at the end."""

        def line(problem: Problem) -> int:
            number = problem.where.rpartition(":")[2]
            return int(number) if number.isdigit() else 10**9

        return sorted(self.problems, key=line)

    # The environment

    def take(self, variable: str, parts: Sequence[str], environ: Mapping[str, str]) -> None:
        """Put a variable's value to those of the key that it means."""
        path, text = path_of(parts), environ[variable]
        if path[0] in LISTED:
            self._say(variable, path[0], Words(
                f"таблицы [[{path[0]}]] бывают только в файле",
                f"tables of [[{path[0]}]] stand only in the file",
            ))  # fmt: skip
            return
        if hint_of(path) is None and (secret := secret_named(path)):
            if variable[: -len("_FILE")] in environ:
                self._say(variable, dotted(secret), Words(
                    "задано дважды: и значением, и файлом. Оставьте одно",
                    "is given twice, as a value and as a file. Keep one",
                ))  # fmt: skip
                return
            try:
                text = Path(text).read_text(encoding="utf-8-sig").strip()
            except (OSError, UnicodeDecodeError, ValueError):
                text = ""
            if not text:
                file = f" {shown}" if (shown := _path_of_secret(environ[variable])) else ""
                self._say(variable, dotted(secret), Words(
                    f"файл с секретом{file} пуст или не читается. Нужен путь к файлу с одной строкой",
                    f"the file with the secret{file} is empty or cannot be read. Give a file with one line",
                ))  # fmt: skip
                return
            path = secret
        if (hint := hint_of(path)) is not None:
            self.source.put(path, _coerced(hint, text), variable)
            return
        while len(path) > 1 and hint_of(path[:-1]) is None:
            path = path[:-1]
        self._unknown(variable, path)

    # The tables

    def settings(self) -> Settings:
        settings = self._composed()
        surveys = [
            self._with_bands(survey, self._place(("survey", index)))
            for index, survey in enumerate(settings.surveys)
        ]
        update = {"surveys": tuple(surveys), "texts": self._texts(settings.texts.templates, settings.company)}
        settings = settings.model_copy(update=update)
        places = {dotted(self._named(path)): self.source.where(path) for path in leaves(self.tables, ())}
        settings._places = places
        self._check(settings)
        settings._warnings = tuple(self._warnings(settings))
        return settings

    def _composed(self) -> Settings:
        """Made by pydantic-settings. A key that is wrong is told and then left to its default."""
        # Its TOML source passes over a missing file, stumbles over Notepad's mark and keeps no lines, so the
        # file was read before. The last source adds nothing: it knows what the others come to.
        tables = {name: table for name, table in self.source.tables.items() if table or name != "survey"}
        file, last = InitSettingsSource(Settings, tables), InitSettingsSource(Settings, {})
        handed: dict[str, Any] = {"sources": (Variables(Settings, self.source.values), file, last)}
        while True:
            try:
                return Settings(**handed)
            except ValidationError as error:
                details = error.errors(include_url=False)
            finally:
                self.tables = last.current_state
            self.usable = self.usable or deepcopy(self.tables)
            told = [(self._place(detail["loc"]), detail) for detail in details]
            for path, detail in told:
                self._explain(detail, path)
            for path, is_lacking in dict.fromkeys((path, detail["type"] in LACKING) for path, detail in told):
                self._leave_out(path, is_lacking)
            handed = _without_gaps(self.usable)

    def _leave_out(self, path: KeyPath, is_lacking: bool) -> None:
        """The key that is wrong; the item of a list, else the table, that lacks one."""
        while is_lacking and len(path) > 1 and not isinstance(path[-1], int):
            path = path[:-1]
        holder: Any = self.usable
        try:
            for part in path[:-1]:
                holder = holder[part]
                if holder is GONE:
                    return
            if isinstance(holder, list):
                holder[int(path[-1])] = GONE
            else:
                del holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            self.usable.pop(str(path[0]), None)

    def _place(self, location: KeyPath) -> KeyPath:
        """Where that stands in the file: pydantic does not see the items that were left out."""
        path: KeyPath = ()
        value: Any = self.usable
        for part in location:
            if isinstance(value, list) and isinstance(part, int):
                part, value = [(index, item) for index, item in enumerate(value) if item is not GONE][part]
            elif part == "[key]":
                continue
            else:
                value = value.get(part) if isinstance(value, dict) else GONE
            path = (*path, part)
        return path

    def _with_bands(self, survey: SurveySettings, path: KeyPath) -> SurveySettings:
        """`low` and `high` follow the scale where the metric knows them."""
        if self.wrong & {(*path, "scale"), (*path, "options")}:
            return survey
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

    def _texts(self, own: Mapping[str, object], company: Company) -> Texts:
        """The program's words in the chosen language, with the company's own over them."""
        ours = {**_pack("ru"), **(_pack("en") if self.language == "en" else {})}
        for key in [key for key, text in own.items() if not isinstance(text, str)]:
            self._wrong(("texts", *self._spelling(key)), own[key], KINDS_OF_VALUE["string_type"])
        good = {key: text for key, text in own.items() if isinstance(text, str)}
        for key, problem in check_texts(good, ours):
            allowed = allowed_in(key, ours) if key in ours else ()
            self._template(("texts", *self._spelling(key)), problem, allowed)
        constants = {"company": company.name, "phone": company.phone, "privacy_url": company.privacy_url}
        return load_texts(ours, good, language=self.language, **constants)

    def _spelling(self, key: str) -> tuple[str, ...]:
        """«optout.done» may stand in the file as one quoted key or as two."""
        whole = ("texts", key)
        return (
            (key,) if whole in self.source.lines or whole in self.source.variables else tuple(key.split("."))
        )

    # What must hold together

    def _check(self, settings: Settings) -> None:
        for finding in checks.findings(settings):
            self._wrong(self._place(finding.path), finding.found, finding.expected)
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

    def _wrong(self, path: KeyPath, found: object, expected: Expected, *, sample: str = "") -> None:
        """One line: found, expected, an example; `sample` is one as a whole line. Said once for each key."""
        if any(path[: len(told)] == told or told[: len(path)] == path for told in self.wrong):
            return
        self.wrong.add(path)
        named = self._named(path)
        value = EXAMPLES.get(_plain(path), "") or expected.example or default_of(path)
        example = sample or (f"{path[-1]} = {value}" if isinstance(path[-1], str) and value else value)
        shown = "" if found is MISSING else HIDDEN if found != "" and is_secret(path, found) else toml(found)
        sentences = Words(
            f"указано {shown}, а нужно: {expected.ru}" if shown else f"не указано, а нужно: {expected.ru}",
            f"found {shown}, expected {expected.en}" if shown else f"not given, expected {expected.en}",
        )
        tail = Words(f". Пример: {example}", f". Example: {example}") if example else Words("", "")
        text = sentences.say(self.language) + tail.say(self.language)
        self.problems.append(Problem(where=self.source.where(path), key=dotted(named), text=text))

    def _explain(self, detail: ErrorDetails, path: KeyPath) -> None:
        """Put pydantic's finding into our words."""
        if detail["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            self._unknown(self.source.where(path), path)
            return
        context = detail.get("ctx", {})
        error = context.get("error")
        found = MISSING if detail["type"] in LACKING else detail["input"]
        expected = error.expected if isinstance(error, Wrong) else expectation(detail["type"], context)
        sample = ""
        if len(path) == 1 and path[0] in LISTED:
            sample = f"[[{path[0]}]]"
            expected = Expected(f"таблицы {sample}", f"tables of {sample}")
        elif expected is TABLE and all(isinstance(part, str) for part in path):
            sample = f"[{dotted(path)}]"
        if detail["type"] == "literal_error" and isinstance(found, str):
            choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            like = checks.nearest(found, choices)
            example = toml(like or choices[0]) if choices else ""
            expected = expected._replace(example=f"[{example}]" if isinstance(path[-1], int) else example)
        self._wrong(path, found, expected, sample=sample)

    # Paths

    def _raw(self, path: KeyPath) -> object:
        value: Any = self.tables
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


def _without_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_gaps(inner) for key, inner in value.items()}
    return [_without_gaps(item) for item in value if item is not GONE] if isinstance(value, list) else value


def _coerced(hint: Any, text: str) -> object:
    """What a variable's text means for a key of this type.

    Where nothing fits, the first that is of the right kind: of `telegram,vk` the wrong channel is told, not
    that it is no list. The text itself if it means nothing there.
    """
    adapter = TypeAdapter[object](hint)
    likely: list[object] = []
    for candidate in meanings(text):
        try:
            adapter.validate_python(candidate)
        except ValidationError as error:
            if not any(not one["loc"] and one["type"].endswith("_type") for one in error.errors()):
                likely.append(candidate)
            continue
        return candidate
    return likely[0] if likely else text


def _path_of_secret(text: str) -> str:
    """To be shown, unless it may be the secret itself, given in place of its file."""
    return toml(text) if "/" in text and not is_secret((), text) else ""


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
def _pack(language: str) -> dict[str, str]:
    tables = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return {key: str(text) for key, text in joined("", tables)}
