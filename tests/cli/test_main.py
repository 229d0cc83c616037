"""The command itself: what it lists, and how it ends."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.cli.conftest import Sarafan
from worker.cli.main import app

COMMANDS = (
    "demo", "run", "plan", "check", "report", "export", "forget", "backup", "auth", "inbox", "staff",
    "copy-to",
)  # fmt: skip


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "120"})


def test_help_lists_every_command_and_the_exit_codes() -> None:
    told = typed("--help")
    assert told.exit_code == 0
    assert [command for command in COMMANDS if f" {command} " not in told.output] == []
    assert "Коды завершения: 0 — сделано, 1 — не получилось, 2 — ошибка" in told.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_config_and_explains_itself(command: str) -> None:
    told = typed(command, "--help")
    assert told.exit_code == 0
    assert "--config" in told.output


def test_the_demo_tells_how_to_play_it() -> None:
    told = typed("demo", "--help").output
    assert "--serve" in told
    assert "--port" in told


def test_a_port_of_the_demo_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = typed("demo", "--serve", "--port", port)
    assert (told.exit_code, told.stderr) == (1, f"На порту {port} открыть страницу нельзя: он занят.\n")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("report", "--fly"),
        ("forget",),
        ("init", "--fly"),
        ("demo", "--port", "8080"),
        ("demo", "--serve", "--port", "70000"),
    ],
)
def test_wrong_use_ends_with_two(words: tuple[str, ...]) -> None:
    told = typed(*words)
    assert told.exit_code == 2
    assert "Traceback" not in told.output


@pytest.mark.parametrize("command", [("run",), ("check",), ("plan",), ("report",), ("export",),
                                     ("forget", "+79140000001"), ("backup", "copy.db")])  # fmt: skip
def test_a_broken_config_ends_with_two_and_one_line_for_each_problem(
    sarafan: Sarafan, config: Path, command: tuple[str, ...]
) -> None:
    config.write_text('[amocrm]\ntoken = "secret-token"\npoll_interval = "x"\n', encoding="utf-8")
    told = sarafan(*command)
    assert told.exit_code == 2
    lines = told.stderr.splitlines()
    assert len(lines) == 4
    assert all(line.startswith(str(config)) for line in lines)
    assert "secret-token" not in told.output


def test_a_missing_config_ends_with_two(tmp_path: Path) -> None:
    told = typed("report", "--config", str(tmp_path / "none.toml"))
    assert told.exit_code == 2
    assert told.stderr.count("\n") == 1
    assert "такого файла нет" in told.stderr
    assert "sarafan init" in told.stderr


def test_help_does_not_wait_for_libraries() -> None:
    """Whoever mistypes an option gets the answer at once."""
    heavy = "{'sqlalchemy', 'pydantic', 'httpx', 'telegram', 'apscheduler'}"
    code = f"import sys, worker.cli.main; print({heavy} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert told.stdout.strip() == "set()"


def imported_by(code: str) -> set[str]:
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return set(told.stdout.split())


@pytest.mark.long
@pytest.mark.parametrize("program", ["import worker.service", "import storage.facts, worker.reports.build"])
def test_a_start_on_sqlite_imports_nothing_that_it_does_not_need(tmp_path: Path, program: str) -> None:
    """Each of these takes a tenth of a second or more."""
    url = f"sqlite:///{tmp_path}/sarafan.db"
    code = (
        "import asyncio, sys\n"
        f"{program}\n"
        "from storage.database import Database\n"
        "async def start():\n"
        f"    await (await Database.open({url!r})).close()\n"
        "asyncio.run(start())\n"
        "print(*sys.modules)"
    )
    first, again = (imported_by(code) for _ in range(2))
    assert "alembic" in first  # It made the tables.
    needless = {"alembic", "psycopg", "asyncpg", "sqlalchemy.dialects.postgresql", "holidays", "telegram"}
    needless |= {"matplotlib", "numpy"}  # Pictures are drawn by a process that ends.
    assert needless & again == set()


def test_the_entry_point_is_installed() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "worker.cli.main", "--help"], capture_output=True, text=True, check=True
    )
    assert "Использование:" in told.stdout


def in_a_shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`$sarafan …` as a person types it, with what belongs to no terminal; output is buffered, as usual."""
    environ = {"PYTHONUNBUFFERED": "", **environ}
    command = f"sarafan='{sys.executable} -m worker.cli.main'; {line}"
    return subprocess.run(  # noqa: S602 — the shell is what is tried
        command, shell=True, capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_told_in_one_line(config: Path) -> None:
    told = in_a_shell(f"$sarafan report --config {config} > /dev/full")
    assert (told.returncode, told.stderr) == (1, "Вывод не записать: на диске нет места.\n")


def test_a_closed_output_and_a_closed_pipe_are_no_errors_with_a_traceback(config: Path) -> None:
    closed = in_a_shell(f"$sarafan report --config {config} >&-")
    assert (closed.returncode, closed.stderr) == (0, "")
    assert in_a_shell(f"$sarafan report --config {config} | true").stderr == ""


def test_a_terminal_without_cyrillic_gets_what_it_can_show(config: Path) -> None:
    told = in_a_shell(f"$sarafan report --config {config}", PYTHONIOENCODING="ascii")
    assert (told.returncode, told.stderr) == (0, "")
    assert r"\u0412\u043b\u0430\u0434" in told.stdout


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_worker_that_is_stopped_while_it_starts_ends_well(config: Path, name: str) -> None:
    code = (
        "import asyncio, os, signal, sys\n"
        "import worker.service\n"
        "from worker.cli.main import main\n"
        "async def start(settings):\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    await asyncio.sleep(5)\n"
        "    return 1\n"
        "worker.service._run = start\n"
        f"sys.argv = ['sarafan', 'run', '--config', {str(config)!r}]\n"
        "main()\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert (told.returncode, told.stderr) == (0, "")
