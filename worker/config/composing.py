"""Settings composed from file and variables by pydantic: whatever is wrong is told, and then left out."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import InitSettingsSource

from worker.config.expectations import TABLE, expectation
from worker.config.findings import MISSING
from worker.config.keys import dotted, toml
from worker.config.settings import LISTED, Settings
from worker.config.sources import KeyPath, Variables
from worker.config.telling import Telling
from worker.config.words import Expected, Wrong, nearest

LACKING = frozenset({"missing", "missing_keyword_only_argument"})  # as pydantic calls it
UNKNOWN = frozenset({"unexpected_keyword_argument", "extra_forbidden"})
GONE = None  # TOML has no such value


@dataclass(slots=True)
class Composer:
    """A key that is wrong is told to `telling` and then left to its default."""

    telling: Telling
    usable: dict[str, Any] = field(default_factory=dict)  # of the tables, with GONE for items of lists

    def compose(self) -> Settings:
        # pydantic-settings' own TOML source passes over a missing file, stumbles over Notepad's mark and
        # keeps no lines, so the file was read before.
        source = self.telling.source
        tables = {name: table for name, table in source.tables.items() if table or name != "survey"}
        # The last source adds nothing: it knows what the others come to.
        file, last = InitSettingsSource(Settings, tables), InitSettingsSource(Settings, {})
        handed: dict[str, Any] = {"sources": (Variables(Settings, source.values), file, last)}
        while True:
            try:
                return Settings(**handed)
            except ValidationError as error:
                details = error.errors(include_url=False)
            finally:
                self.telling.tables = last.current_state
            self.usable = self.usable or deepcopy(last.current_state)
            told = [(self.place(detail["loc"]), detail) for detail in details]
            for path, detail in told:
                self._explain(detail, path)
            for path, is_lacking in dict.fromkeys((path, detail["type"] in LACKING) for path, detail in told):
                self._leave_out(path, is_lacking)
            handed = _without_gaps(self.usable)

    def place(self, location: KeyPath) -> KeyPath:
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

    def _explain(self, detail: ErrorDetails, path: KeyPath) -> None:
        """Put pydantic's finding into our words."""
        if detail["type"] in UNKNOWN:
            self.telling.unknown(self.telling.source.where(path), path)
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
            like = nearest(found, choices)
            example = toml(like or choices[0]) if choices else ""
            expected = expected._replace(example=f"[{example}]" if isinstance(path[-1], int) else example)
        self.telling.wrong(path, found, expected, sample=sample)


def _without_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_gaps(inner) for key, inner in value.items()}
    return [_without_gaps(item) for item in value if item is not GONE] if isinstance(value, list) else value
