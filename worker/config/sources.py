"""The config file and the environment as sources of settings, with the place that every value came from."""

import errno
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from worker.config.settings import NESTED, PREFIX
from worker.config.words import Words

KeyPath = tuple[str | int, ...]  # of a key: ("amocrm", "fields", "nps"), ("survey", 0, "scale")

_KEY = r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[\w-]+)"""
_DOTTED = re.compile(rf"{_KEY}(?:\s*\.\s*{_KEY})*")
_TEXTS = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')


# What tomllib says most, by how it begins; the rest stays in its own words.
OF_TOMLLIB = (
    ("Expected '='", "после имени ключа нужен знак ="),
    ("Invalid value", "значение записано неверно, строке нужны кавычки"),
    ("Invalid initial character for a key", "имя ключа записано неверно"),
    ("Invalid statement", "строка начинается не с ключа и не с [раздела]"),
    ("Invalid date", "такой даты нет"),
    ("Expected newline", "после значения стоит лишнее"),
    ("Cannot overwrite", "такой ключ уже был выше"),
    ("Duplicate inline table key", "такой ключ уже был выше"),
    ("Cannot declare", "такой раздел уже был выше"),
    ("Unclosed", "скобка не закрыта"),
    ("Expected ']", "скобка не закрыта"),
    ("Unterminated string", "кавычка не закрыта"),
    ("Expected '\"'", "кавычка не закрыта"),
    ("Illegal character '\\n'", "кавычка не закрыта"),
    ("Illegal character", "в строке недопустимый знак"),
    ("Unescaped '\\'", "обратную черту \\ в кавычках пишут дважды"),
)


class UnreadableFile(Exception):
    """The file cannot be used at all: where, and why in both languages."""

    def __init__(self, line: int, ru: str, en: str) -> None:
        super().__init__(en)
        self.line = line
        self.words = Words(ru, en)


@dataclass(slots=True)
class Source:
    """What was read, and where each key stands."""

    name: str  # of the file, as it was given
    tables: dict[str, Any] = field(default_factory=dict)  # of the file
    lines: dict[KeyPath, int] = field(default_factory=dict)
    text: str = ""
    values: dict[KeyPath, object] = field(default_factory=dict)  # of variables
    variables: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """The variable, else file and line of the key or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return self.variables[path[:length]]
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name or f"{PREFIX}…"

    def line_of_placeholder(self, path: KeyPath, placeholder: str) -> str:
        """As `where`, but the line of a template in several lines on which the placeholder stands."""
        start = self.lines.get(path)
        if path in self.variables or start is None:
            return self.where(path)
        for number, line in enumerate(self.text.splitlines()[start - 1 :], start):
            if placeholder in line:
                return f"{self.name}:{number}"
        return self.where(path)

    def put(self, path: KeyPath, value: object, variable: str) -> None:
        """What a variable says; of a table, each key that it gives."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.put((*path, key), inner, variable)
        else:
            self.values[path] = value
            self.variables[path] = variable


class Variables(EnvSettingsSource):
    """Variables whose texts were read as TOML before: the library would take them for JSON."""

    def __init__(self, settings: type[BaseSettings], values: Mapping[KeyPath, object]) -> None:
        self.values = values
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, Any]:
        """In place of os.environ."""
        return {PREFIX + NESTED.join(map(str, path)): value for path, value in self.values.items()}

    def explode_env_vars(self, field_name: str, field: FieldInfo, env_vars: Any) -> dict[str, Any]:
        self.maxsplit = 0 if field_name in {"names", "texts"} else -1  # a person's name is one key
        return super().explode_env_vars(field_name, field, env_vars)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        return value


def read_file(path: Path, name: str) -> Source:
    """Raises UnreadableFile."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows' Notepad writes a mark at the start.
    except FileNotFoundError:
        raise UnreadableFile(
            0,
            "такого файла нет. Его пишет sarafan init, все ключи есть в config.example.toml; "
            "другой файл укажите в --config",
            "there is no such file. sarafan init writes it, config.example.toml has all keys; "
            "--config names another",
        ) from None
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            0,
            f"это не UTF-8 (байт {error.start}). Сохраните файл в кодировке UTF-8",
            f"this is not UTF-8 (byte {error.start}). Save the file as UTF-8",
        ) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        ru = {errno.EACCES: "нет прав", errno.EISDIR: "это папка"}.get(error.errno or 0, why)
        raise UnreadableFile(0, f"файл не читается: {ru}", f"the file cannot be read: {why}") from None
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        why = re.sub(r"\s*\(at [^)]*\)", "", str(error))
        raise UnreadableFile(
            line,
            f'это не TOML: {_in_russian(why)}. Пример строки: key = "value"',
            f'this is not TOML: {why}. A line looks so: key = "value"',
        ) from None
    return Source(name=name, tables=tables, lines=dict(_lines(text)), text=text)


def _in_russian(why: str) -> str:
    return next((words for begins, words in OF_TOMLLIB if why.startswith(begins)), why)


def overrides(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every variable that means a key: SARAFAN_<SECTION>__<KEY>, nested SARAFAN_AMOCRM__FIELDS__NPS."""
    for variable in sorted(environ):
        parts = tuple(variable.removeprefix(PREFIX).split(NESTED))
        if variable.startswith(PREFIX) and len(parts) > 1:
            yield variable, parts


def toml_value(text: str) -> object:
    """The value that this text would be in the file. Raises ValueError."""
    tables = tomllib.loads(f"value = {text}")
    if tables.keys() != {"value"}:
        raise ValueError(text)
    return tables["value"]


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, dotted))


def _lines(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Where tables and keys stand. Knows as much TOML as that takes: the file itself was read by tomllib."""
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:  # inside a text of several lines
            quote = "" if quote in line else quote
            continue
        bare = _TEXTS.sub("''", line.replace('"""', "\0").replace("'''", "\1")).partition("#")[0]
        if not depth:
            start = line.lstrip()
            if header := re.match(rf"\[\[\s*({_DOTTED.pattern})\s*\]\]", start):
                name = _keys(header[1])
                counts[name] = counts.get(name, -1) + 1
                table = (*name, counts[name])
                yield table, number
            elif header := re.match(rf"\[\s*({_DOTTED.pattern})\s*\]", start):
                table = _keys(header[1])
                yield table, number
            elif key := re.match(rf"({_DOTTED.pattern})\s*=", start):
                yield (*table, *_keys(key[1])), number
        if "=" in bare or depth:
            value = bare if depth else bare.partition("=")[2]
            depth = max(0, depth + sum(map(value.count, "[{")) - sum(map(value.count, "]}")))
        for mark, sign in (("\0", '"""'), ("\1", "'''")):
            if bare.count(mark) % 2:
                quote = sign
