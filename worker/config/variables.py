"""The environment's part of the config: each variable read as the key that it means."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from worker.config.keys import dotted, hint_of, is_secret, meanings, path_of, secret_named, toml
from worker.config.settings import LISTED
from worker.config.sources import overrides
from worker.config.telling import Telling
from worker.config.words import Words


def take_variables(environ: Mapping[str, str], telling: Telling) -> None:
    """Put every variable's value to those of `telling.source`; what cannot be taken is told."""
    for variable, parts in overrides(environ):
        _take(variable, parts, environ, telling)


def _take(variable: str, parts: Sequence[str], environ: Mapping[str, str], telling: Telling) -> None:
    path, text = path_of(parts), environ[variable]
    if path[0] in LISTED:
        telling.say(variable, path[0], Words(
            f"таблицы [[{path[0]}]] бывают только в файле",
            f"tables of [[{path[0]}]] stand only in the file",
        ))  # fmt: skip
        return
    if hint_of(path) is None and (secret := secret_named(path)):
        if variable[: -len("_FILE")] in environ:
            telling.say(variable, dotted(secret), Words(
                "задано дважды: и значением, и файлом. Оставьте одно",
                "is given twice, as a value and as a file. Keep one",
            ))  # fmt: skip
            return
        path, text = secret, _in_file(text)
        if not text:
            file = f" {shown}" if (shown := _path_of_secret(environ[variable])) else ""
            telling.say(variable, dotted(secret), Words(
                f"файл с секретом{file} пуст или не читается. Нужен путь к файлу с одной строкой",
                f"the file with the secret{file} is empty or cannot be read. Give a file with one line",
            ))  # fmt: skip
            return
    if (hint := hint_of(path)) is not None:
        telling.source.put(path, _coerced(hint, text), variable)
        return
    while len(path) > 1 and hint_of(path[:-1]) is None:
        path = path[:-1]
    telling.unknown(variable, path)


def _in_file(name: str) -> str:
    """ "" where nothing can be read."""
    try:
        return Path(name).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError, ValueError):
        return ""


def _path_of_secret(text: str) -> str:
    """To be shown, unless it may be the secret itself, given in place of its file."""
    return toml(text) if "/" in text and not is_secret((), text) else ""


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
