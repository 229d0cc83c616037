"""A key of the config whose value cannot work, whoever finds it."""

from dataclasses import dataclass

from worker.config.settings import Settings
from worker.config.sources import KeyPath
from worker.config.words import Expected

MISSING = object()  # nothing was found


@dataclass(frozen=True, slots=True)
class Finding:
    """A key whose value cannot work: what was found and what is expected; `sentence` says it otherwise."""

    path: KeyPath
    found: object
    expected: Expected
    sentence: str = ""


def found(settings: Settings, key: str, value: object) -> object:
    """The value, where the file or a variable gave one."""
    return value if key in settings.given else MISSING
