"""What is wrong with the config, told in the company's language: one line for each key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.config.expectations import EXAMPLES
from worker.config.findings import MISSING
from worker.config.keys import default_of, dotted, is_secret, keys_beside, toml
from worker.config.problems import Problem
from worker.config.settings import LISTED
from worker.config.sources import KeyPath, Source
from worker.config.words import Expected, Words, nearest

HIDDEN = "«…»"


@dataclass(slots=True)
class Telling:
    """Collects what is wrong with what `source` gave."""

    source: Source
    tables: Mapping[str, Any] = field(default_factory=dict)  # of the file with the variables over them
    problems: list[Problem] = field(default_factory=list)
    told: set[KeyPath] = field(default_factory=set)  # keys whose value is wrong

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

    def say(self, where: str, key: str, words: Words) -> None:
        self.problems.append(Problem(where=where, key=key, text=words.say(self.language)))

    def unknown(self, where: str, path: KeyPath) -> None:
        """Its value is not shown: a misspelt key may hold a token."""
        like = nearest(str(path[-1]), keys_beside(path))
        told = dotted(self.named((*path[:-1], like))) if like else ""
        ru, en = (f", похож {told}", f", the nearest is {told}") if told else ("", "")
        self.say(where, dotted(self.named(path)), Words(
            f"такого ключа нет{ru}. Все ключи с примерами: config.example.toml",
            f"there is no such key{en}. All keys with examples: config.example.toml",
        ))  # fmt: skip

    def wrong(
        self, path: KeyPath, found: object, expected: Expected, *, sample: str = "", sentence: str = ""
    ) -> None:
        """One line: found, expected, an example; `sample` is one as a whole line, `sentence` stands in place
        of found and expected. Said once for each key."""
        if any(path[: len(told)] == told or told[: len(path)] == path for told in self.told):
            return
        self.told.add(path)
        value = EXAMPLES.get(_plain(path), "") or expected.example or default_of(path)
        example = sample or (f"{path[-1]} = {value}" if isinstance(path[-1], str) and value else value)
        shown = "" if found is MISSING else HIDDEN if found != "" and is_secret(path, found) else toml(found)
        sentences = Words(
            f"указано {shown}, а нужно: {expected.ru}" if shown else f"не указано, а нужно: {expected.ru}",
            f"found {shown}, expected {expected.en}" if shown else f"not given, expected {expected.en}",
        )
        if sentence:
            sentences = Words(sentence.rstrip("."), sentence.rstrip("."))
        tail = Words(f". Пример: {example}", f". Example: {example}") if example else Words("", "")
        self.say(
            self.source.where(path),
            dotted(self.named(path)),
            Words(sentences.ru + tail.ru, sentences.en + tail.en),
        )

    def named(self, path: KeyPath) -> KeyPath:
        """`survey.csat.scale` says more than `survey.1.scale`."""
        if len(path) > 1 and path[0] in LISTED and isinstance(path[1], int):
            table = self._value(path[:2])
            name = table.get("key" if path[0] == "survey" else "name") if isinstance(table, dict) else None
            shown = name if isinstance(name, str) and name.strip() else str(path[1] + 1)
            return (path[0], shown, *path[2:])
        return path

    def _value(self, path: KeyPath) -> object:
        value: Any = self.tables
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return MISSING
        return value


def _plain(path: KeyPath) -> str:
    """The key without its place in a list: `survey.metric`."""
    return ".".join(part for part in path if isinstance(part, str))
