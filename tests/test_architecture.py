"""Who may import whom: reads every import with `ast` and says where a line of code belongs instead."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("integrations", "storage", "worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A place with its own rights. It may always import itself."""

    name: str
    floor: int
    may: tuple[str, ...] = ()  # of ours, by prefix
    libraries: tuple[str, ...] | None = None  # of others; None = any
    remedy: str


FLOWS = "worker.flows"  # Each of its files is a part of its own.
GROUND = ("worker.rules", "storage", "integrations")
CONFIG = "worker.config"
SETTINGS = tuple(  # what the floors above may see of it
    f"{CONFIG}.{name}" for name in ("settings", "sections", "problems", "words")
)
PIECES = (*GROUND, *SETTINGS, "worker.clock", "worker.account", "worker.reports")
BELOW_APP = (
    *PIECES,
    CONFIG,
    "worker.log",
    "worker.metrics",
    "worker.actions",
    "worker.staff",
    "worker.web",
    FLOWS,
)

PARTS = (
    Part(
        name="integrations",
        floor=1,
        remedy="it talks to the outside and has never heard of a survey: ask for what you need as an "
        "argument or a Protocol, and let worker/app.py join the two",
    ),
    Part(
        name="storage",
        floor=1,
        remedy="it remembers and decides nothing: take plain values, and let the caller in worker decide",
    ),
    Part(
        name="worker.rules",
        floor=1,
        libraries=("holidays", "phonenumbers"),
        remedy="rules are pure, values in and values out: hand the value over as an argument, or move the "
        "effect up into an action or a flow",
    ),
    Part(
        name="worker.metrics",
        floor=2,
        may=("worker.rules",),
        libraries=(),
        remedy="metrics compute from Facts that they are handed: add a field to Facts and a query to "
        "storage/facts.py, and join them in worker/reports",
    ),
    Part(
        name=CONFIG,
        floor=2,
        may=("worker.rules", "integrations"),
        remedy="it only composes settings that rules and integrations own: declare the setting there",
    ),
    Part(name="worker.clock", floor=2, may=("worker.rules",), remedy="it only gives the time"),
    Part(
        name="worker.log",
        floor=2,
        may=("worker.rules", "integrations"),
        remedy="it only masks and writes lines",
    ),
    Part(
        name="worker.account",
        floor=3,
        may=(*GROUND, *SETTINGS),
        remedy="it knows how the account is set up; what is done about it belongs in actions or flows",
    ),
    Part(
        name="worker.reports",
        floor=3,
        may=("worker.metrics", "worker.rules", "storage"),
        remedy="a report is made of facts and metrics alone: sending it is an action",
    ),
    Part(
        name="worker.actions",
        floor=5,
        may=(*PIECES, "worker.staff"),
        remedy="an action does one thing outside: leave what comes before and after to the flow",
    ),
    Part(
        name="worker.staff",
        floor=4,
        may=(*PIECES, "worker.metrics"),
        remedy="it words what staff ask for: what they start is a row in the outbox, and the action does it",
    ),
    Part(
        name="worker.web",
        floor=4,
        may=PIECES,
        remedy="HTTP stores and shows: have worker/app.py hand in a callable for anything else",
    ),
    Part(
        name=FLOWS,
        floor=6,
        may=(*PIECES, "worker.actions", "worker.staff"),
        remedy="flows meet in the database only: move what two of them share down into rules, storage or "
        "actions, and let worker/app.py wake them",
    ),
    Part(name="worker.app", floor=7, may=BELOW_APP, remedy="it builds; a command belongs in cli"),
    Part(
        name="worker.service",
        floor=7,
        may=(*BELOW_APP, "worker.app"),
        remedy="it runs what the app has built; a command belongs in cli",
    ),
    Part(
        name="worker.cli",
        floor=8,
        may=(*BELOW_APP, "worker.app", "worker.service"),
        remedy="nothing is above it",
    ),
)

# A clock or a die in here would make the same deal get different answers.
PURE = ("worker.rules", "worker.metrics")
IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "io",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "sqlite3",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
IMPURE_CALLS = frozenset(
    {"now", "utcnow", "today", "random", "randint", "randrange", "uuid4", "open", "print"}
)


def part_of(dotted: str) -> Part | None:
    found = [part for part in PARTS if is_inside(dotted, part.name)]
    return max(found, key=lambda part: len(part.name), default=None)


def is_inside(dotted: str, prefix: str) -> bool:
    return dotted == prefix or dotted.startswith(f"{prefix}.")


def imports_of(tree: ast.AST, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Every imported name in full, with its line: `from a.b import c` gives `a.b.c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            up = node.level - is_package
            parents = base[: len(base) - up] if node.level else []
            start = ".".join([*parents, *([node.module] if node.module else [])])
            for name in node.names:
                yield node.lineno, f"{start}.{name.name}"


def complaints_about(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of one file, each with its remedy."""
    tree = ast.parse(source)
    part = part_of(module)
    if is_package:
        return (
            []
            if not source.strip()
            else [f"{module}/__init__.py: stays empty; move its lines to a file of its own"]
        )
    if part is None:
        return [f"{module}: has no place in the architecture; put it on a floor and into PARTS of this test"]
    wrong = {
        line: why for line, target in imports_of(tree, module) if (why := wrong_import(part, module, target))
    }
    found = [f"{module}:{line}: {why}" for line, why in wrong.items()]
    if any(is_inside(module, name) for name in PURE):
        found += [f"{module}:{line}: {what}" for line, what in impurities(tree)]
    return found


def wrong_import(part: Part, module: str, target: str) -> str:
    """Why `module` in `part` must not import `target`; empty if it may."""
    top = target.split(".")[0]
    if top not in OURS:
        if top in sys.stdlib_module_names or part.libraries is None or top in part.libraries:
            return ""
        allowed = ", ".join(part.libraries) or "none"
        return f"{part.name} may not use the library {top} (allowed: {allowed}): {part.remedy}"
    if is_inside(target, "integrations.standins") and not is_inside(module, "integrations.standins"):
        if is_inside(module, "worker.cli"):
            return ""
        return (
            f"imports {target}: the stand-ins serve tests and the demo, nothing that runs for real uses them"
        )
    if (
        target == f"{CONFIG}.settings.Settings"
        and part.floor < 7
        and part.name not in {CONFIG, "worker.account"}
    ):
        return "sees Settings: nothing below worker/app.py does, take the piece that you need as an argument"
    if module.endswith(".base") and target.startswith(f"{module.rpartition('.')[0]}.registry"):
        return f"imports {target}: a base never imports its registry, or it would import everything"
    itself = module if part.name == FLOWS else part.name
    if any(is_inside(target, allowed) for allowed in (itself, *part.may)):
        return ""
    other = part_of(target)
    if other is None:
        return f"imports {target}, which has no floor: import a module by its full name"
    return f"{part.name} (floor {part.floor}) may not import {target} (floor {other.floor}): {part.remedy}"


def impurities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Clocks, dice, files and sockets where only values may pass."""
    for line, target in imports_of(tree, ""):
        if target.split(".")[0] in IMPURE_MODULES:
            yield (
                line,
                f"imports {target}: pure code is handed the time, the number or the text as an argument",
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in IMPURE_CALLS:
                yield node.lineno, f"calls {name}(): pure code is handed its result as an argument"


def files() -> list[Path]:
    return sorted(path for top in OURS for path in (ROOT / top).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_file_imports_only_from_floors_below_its_own() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in files()} == set(OURS)
    found = [
        complaint
        for path in files()
        for complaint in complaints_about(
            module_name(path), path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py"
        )
    ]
    assert not found, "\n".join(["the architecture is broken:", *found])


def test_every_folder_with_code_is_a_package() -> None:
    bare = {path.parent for path in files()} - {path.parent for path in files() if path.name == "__init__.py"}
    assert not bare, f"without an empty __init__.py these are not installed: {sorted(map(str, bare))}"


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("integrations.http", "from storage.state import recall", "let worker/app.py join the two"),
        ("integrations.http", "def f():\n    import worker.rules", "may not import worker.rules"),
        ("integrations.channels.base", "from .registry import CHANNELS", "a base never imports its registry"),
        (
            "integrations.amocrm.client",
            "from integrations.standins import town",
            "nothing that runs for real",
        ),
        ("storage.outbox", "from integrations.errors import Temporary", "may not import integrations.errors"),
        ("storage.outbox", "from worker.rules import backoff", "it remembers and decides nothing"),
        ("worker.rules.phone", "import httpx", "allowed: holidays, phonenumbers"),
        ("worker.rules.phone", "import pydantic.types", "may not use the library pydantic"),
        ("worker.rules.phone", "from storage.tables.deals import Deal", "move the effect up"),
        ("worker.rules.promo", "import random", "imports random"),
        ("worker.rules.promo", "from secrets import randbelow", "imports secrets.randbelow"),
        ("worker.rules.calendar", "import time", "imports time"),
        ("worker.rules.calendar", "from datetime import datetime\nx = datetime.now()", "calls now()"),
        ("worker.rules.calendar", "from datetime import date\nx = date.today()", "calls today()"),
        ("worker.rules.wording", "x = open('ru.toml')", "calls open()"),
        ("worker.metrics.stats", "import sqlmodel", "storage/facts.py"),
        (
            "worker.metrics.stats",
            "from worker.config.sections import reports",
            "may not import worker.config",
        ),
        ("worker.config.load", "from worker.log import mask", "may not import worker.log"),
        (
            "worker.reports.text",
            "from worker.config.settings import Settings",
            "take the piece that you need",
        ),
        (
            "worker.account.resolve",
            "from worker.config.load import load",
            "may not import worker.config.load",
        ),
        ("worker.reports.build", "from integrations.amocrm.client import AmoCrm", "sending it is an action"),
        ("worker.staff.finding", "from worker.actions import keys", "may not import worker.actions"),
        ("worker.web.health", "from worker import flows", "may not import worker.flows"),
        ("worker.web.health", "from ..actions import base", "may not import worker.actions.base"),
        ("worker.flows.send", "from worker.flows.pull import deal_from", "flows meet in the database only"),
        ("worker.flows.send", "from . import pull", "flows meet in the database only"),
        ("worker.app", "import worker.cli.main", "a command belongs in cli"),
        ("worker.odds", "import os", "has no place in the architecture"),
        ("worker.actions.base", "import worker", "has no floor"),
    ],
)
def test_a_forbidden_import_is_told_with_its_remedy(module: str, source: str, said: str) -> None:
    assert said in "\n".join(complaints_about(module, source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("integrations.http", "import httpx\nfrom integrations.errors import Temporary"),
        ("storage.database", "from . import sql\nimport sqlalchemy"),
        (
            "worker.rules.calendar",
            "import holidays\nfrom datetime import time\nfrom worker.rules.scale import Band",
        ),
        ("worker.metrics.nps", "from worker.rules.scale import Scale"),
        ("worker.config.load", "import pydantic\nfrom integrations.channels.base import BotSettings"),
        ("worker.account.resolve", "from worker.config.settings import Settings\nfrom storage import state"),
        ("worker.config.settings", "from worker.config.sections.company import Company"),
        ("worker.actions.base", "from worker.config.sections.company import Company"),
        ("worker.reports.build", "from worker.metrics import base"),
        ("worker.actions.registry", "from worker.actions.thank_client import thank_client"),
        ("worker.flows.act", "from worker.actions.registry import ACTIONS\nfrom storage import outbox"),
        ("worker.app", "from worker.config.load import load\nfrom worker.flows import pull"),
        ("worker.cli.demo", "from integrations.standins.town import Town\nfrom worker.service import run"),
    ],
)
def test_an_import_from_below_is_fine(module: str, source: str) -> None:
    assert complaints_about(module, source) == []


def test_an_init_file_with_a_line_in_it_is_told() -> None:
    assert "stays empty" in complaints_about("worker.rules", "from . import scale", is_package=True)[0]
