"""Which keys the config has, of what type, and how keys and values are shown to a person."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from worker.config.settings import LISTED, SECRETS, SECTIONS
from worker.config.sources import KeyPath, toml_value

# Whatever looks like a credential is not shown, whichever key it was put under by mistake.
CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{24,}|\d{6,}:[\w-]{10,}|://[^/\s]*@")


def path_of(parts: Sequence[str]) -> tuple[str, ...]:
    """The key that a variable means: names keep their spelling, texts their dots."""
    section, *rest = parts[0].lower(), *parts[1:]
    if section == "names":
        return (section, "__".join(rest))
    if section == "texts":
        return (section, ".".join(rest).lower())
    return (section, *(part.lower() for part in rest))


def hint_of(path: KeyPath) -> Any:
    """The type of the key at this path; None if there is no such key."""
    hint: Any = SECTIONS.get(str(path[0])) if path else None
    for part in path[1:]:
        table = plain(hint)
        if is_dataclass(table):
            hint = keys_of(table).get(str(part))
        else:
            hint = get_args(table)[1] if get_origin(table) is dict else None
    return hint


def plain(hint: Any) -> Any:
    """A type without what is annotated to it."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def keys_of(section: Any) -> dict[str, Any]:
    """The keys of a table as they stand in the file, with their types."""
    hints = get_type_hints(section, include_extras=True)
    return {alias(item): hints[item.name] for item in fields(section) if item.init}


def alias(item: Any) -> str:
    return getattr(item.default, "alias", None) or str(item.name)


def keys_beside(path: KeyPath) -> list[str]:
    """The keys that could have been meant."""
    if len(path) == 1:
        return [*SECTIONS, *LISTED]
    if path[0] in LISTED:
        return list(keys_of(LISTED[str(path[0])]))
    hint = plain(hint_of(path[:-1]))
    return list(keys_of(hint)) if is_dataclass(hint) else []


def secret_named(path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The secret that `…_FILE` names a file for."""
    if not path[-1].endswith("_file"):
        return None
    secret = (*path[:-1], path[-1].removesuffix("_file"))
    return secret if dotted(secret) in SECRETS else None


def is_secret(path: KeyPath, found: object) -> bool:
    """A secret, a table of secrets that is no table, or anything that looks like one."""
    key = dotted(path)
    return any(f"{secret}.".startswith(f"{key}.") for secret in SECRETS) or bool(
        CREDENTIAL.search(toml(found))
    )


def default_of(path: KeyPath) -> str:
    """The default of a key that is written as it stands, for an example."""
    section = SECTIONS.get(str(path[0])) or LISTED.get(str(path[0]))
    if not is_dataclass(section) or not isinstance(path[-1], str):
        return ""
    holder: Any = plain(hint_of(path[:-1])) if path[0] in SECTIONS else section
    for item in fields(holder) if is_dataclass(holder) else ():
        default = item.default
        if alias(item) == path[-1] and isinstance(default, str | int | float | tuple) and default != "":
            return toml(default)
    return ""


def dotted(path: KeyPath) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def leaves(table: Mapping[str, Any], path: KeyPath) -> Iterator[KeyPath]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        elif isinstance(value, list) and key in LISTED and not path:
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    yield from leaves(item, (key, index))
        else:
            yield (*path, key)


# Values


def meanings(text: str) -> Iterator[object]:
    """What a variable's text may mean: words as they are, a value as in the file, a list without brackets."""
    yield text
    for spelling in (text, text.lower(), f"[{text}]"):
        try:
            yield toml_value(spelling)
        except ValueError:
            continue
    yield [part.strip() for part in text.split(",") if part.strip()]


def toml(value: object) -> str:
    """The value as it would stand in the file, on one line and not too long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 80 else f'{text[:78]}…"'
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(inner) for inner in value)}]"
    return str(value)
