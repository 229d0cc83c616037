"""`sarafan demo`: a made-up company lives through a quarter in fast time, with the real worker at its side.

Stand-ins of amoCRM, Telegram and WhatsApp listen on loopback; the worker talks with them over HTTP as with
the real ones. One clock moves from event to event, so a quarter takes half a minute.
"""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from integrations.standins.town import HEAD_ID, Addresses, Town
from storage.database import Database
from storage.upcoming import upcoming
from worker.app import App
from worker.cli.data import scope_of
from worker.cli.demo_count import Checked, Tally, compare
from worker.cli.demo_people import Life
from worker.cli.demo_story import MONTHS, Line, Page, Story
from worker.cli.demo_town import BEGINS, COMPANY, CONFIG, ENDS, PERIOD, ZONE
from worker.clock import ManualClock
from worker.config.load import load
from worker.config.settings import Settings
from worker.flows.calls import draw_calls
from worker.flows.observe import observe
from worker.log import Mask, TextLines
from worker.reports.build import as_json, build_report
from worker.reports.text import as_text
from worker.rules.calendar import parse_period
from worker.rules.eligibility import Reason
from worker.rules.scorecards import due_week

STYLES = {"client": "cyan", "bot": "green", "amocrm": "blue", "staff": "magenta", "week": "dim"}
INTRO = (
    f"«{COMPANY}» ставит ворота во Владивостоке: 6 менеджеров, 2 бригады,",
    "третий квартал 2026 года. Компания выдумана, программа настоящая: она говорит",
    "по HTTP с подставными amoCRM, Telegram и WhatsApp на этом компьютере.",
    "В сеть ничего не уходит.",
)
NEXT = (
    "Сыграть самому за клиента и за руководителя: {sarafan} demo --serve",
    "назовёт адрес страницы. Дальше — со своей компанией: {sarafan} init",
    "спросит адрес amoCRM и токены и запишет config.toml. Потом setup создаст",
    "в amoCRM, чего не хватает, check проверит подключения, plan покажет, кого",
    "и когда спросят, ничего не отправляя, run начнёт работу.",
    "По шагам: README.ru.md.",
)
INTERRUPTED, PIPE_CLOSED = 130, 141  # what a shell says of SIGINT and SIGPIPE


class WorkerFailed(Exception):
    """The worker logged an error: the story is not worth telling on."""


def run() -> int:
    """Exit code 0 if the report says what the story comes to, else 1."""
    console = Console(highlight=False)
    try:
        with tempfile.TemporaryDirectory(prefix="sarafan-demo-") as folder, log_in(Path(folder)) as log:
            return asyncio.run(_play(console, Path(folder), log))
    except KeyboardInterrupt:
        return _fail("Прервано.", INTERRUPTED)
    except BrokenPipeError:  # The reader has seen enough, as `| head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the flush at the end fails again
        return PIPE_CLOSED
    except Exception:  # noqa: BLE001 - whatever it is, the reader sees it and the command fails
        traceback.print_exc()
        return _fail("Программа не справилась, рассказ прерван.")


def _fail(sentence: str, exit_code: int = 1) -> int:
    print(sentence, file=sys.stderr)
    return exit_code


async def _play(console: Console, folder: Path, log: "Errors") -> int:
    clock = ManualClock(BEGINS)
    town = Town(clock.now, rate_limit=None)
    town.whatsapp.longest_wait = 0  # a poll of the gateway waits in real seconds
    tally = Tally()
    async with town.served() as addresses:
        settings = settings_in(folder, town, addresses)
        db = await Database.open(settings.storage.url, is_private=True)
        try:
            app = await App.build(settings, db=db, clock=clock, is_paced=False)
            try:
                with _page(console) as page:
                    story = Story(page, clock, town, tally)
                    life = Life(town, clock, story)
                    await _live(app, life, story, clock, log)
            finally:
                await app.close()
            clock.set(ENDS + timedelta(hours=9))
            report = await build_report(
                db, parse_period(PERIOD, ZONE), await scope_of(settings, db), clock.now()
            )
        finally:
            await db.close()
    _title(console, "Отчёт за квартал: sarafan report")
    _print(console, as_text(report, settings.texts))
    return _checked(console, compare(tally, life.correspondence.chats, town, as_json(report)))


def settings_in(folder: Path, town: Town, addresses: Addresses, config: str = CONFIG) -> Settings:
    """The settings of a worker in this town; `config` with the places of CONFIG."""
    path = folder / "config.toml"
    text = config.format(
        database=(folder / "sarafan.db").as_posix(),
        amocrm=addresses.amocrm,
        amocrm_token=town.amocrm.token,
        telegram=addresses.telegram,
        telegram_token=town.telegram.token,
        whatsapp=addresses.whatsapp,
        instance_id=town.whatsapp.instance_id,
        whatsapp_token=town.whatsapp.token,
        head_id=HEAD_ID,
    )
    path.write_text(text, encoding="utf-8")
    return load(path, {})


async def _live(app: App, life: Life, story: Story, clock: ManualClock, log: "Errors") -> None:
    """From event to event: people act, the worker does what there is to do, people read what came."""
    await app.recover()
    now, week = BEGINS, ""
    while now < ENDS:
        clock.set(now)
        story.turn(now)
        for act in life.agenda.take(now):
            act()
        await app.step(pulls=life.has_changed_amocrm())
        if (over := due_week(now, app.hands.calendar)) is not None and over.key != week:
            await look_slowly(app, at_chats=not week)
            week = over.key
        log.complain()
        story.look(life.watch())
        moments = [moment for moment in (life.agenda.next, await next_moment(app, now)) if moment is not None]
        if not moments:
            break
        now = max(min(moments), now + timedelta(seconds=1))
    await look_slowly(app, at_chats=True)
    story.end_week()


async def look_slowly(app: App, *, at_chats: bool) -> None:
    """What the worker reads at its leisure: calls for the head to hear each week, chats on the first day and
    the last, for the script writes them down when a deal is won."""

    async def no_rest() -> None:
        """There is nobody to spare."""

    if at_chats:
        await observe(app.hands, no_rest)
    await draw_calls(app.hands, no_rest)
    await app.step(pulls=False)


async def next_moment(app: App, now: datetime) -> datetime | None:
    """When the worker has something to do next."""
    hands = app.hands
    async with hands.db.reading() as tx:
        # Who waits for a turn is woken by the answer that gives it, or ended with the silence.
        ahead = await upcoming(tx, now, but_waiting_for=Reason.TURN)
    moments = [ahead.soonest] if ahead.soonest is not None else []
    if hands.policy.reminder_after is not None:
        for asked_at, looked_at in ahead.unreminded:
            remind_at = hands.calendar.add(asked_at, hands.policy.reminder_after, hands.window)
            moments.append(max(remind_at, looked_at))
    return min((moment for moment in moments if moment > now), default=None)


# What is seen


class _Terminal:
    """Colours, and a bar that runs through the quarter below the lines."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self.console = console
        self.progress = progress
        self.task = progress.add_task("", total=(ENDS - BEGINS).total_seconds())

    def chapter(self, title: str) -> None:
        self.console.print()
        self.console.rule(Text(title, "bold"), align="left", style="dim")

    def line(self, line: Line) -> None:
        row = Table.grid(padding=(0, 2), expand=True)
        row.add_column(width=18, style="dim")
        row.add_column(ratio=1)  # or what a short line leaves over would widen the first column too
        who = Text(
            f"{line.who}: ", STYLES[line.style] if line.style == "week" else f"bold {STYLES[line.style]}"
        )
        row.add_row(line.when, who.append(line.text, "dim" if line.style == "week" else "not bold default"))
        self.console.print(row)

    def turn(self, now: datetime) -> None:
        today = now.astimezone(ZONE)
        self.progress.update(
            self.task,
            completed=(now - BEGINS).total_seconds(),
            description=f"{today.day} {MONTHS[today.month - 1]}",
        )


class _Plain:
    """One event a line, for files and pipes."""

    def chapter(self, title: str) -> None:
        print(f"\n— {title} —")

    def line(self, line: Line) -> None:
        text = line.text.replace("\n", "\n    ")
        print(f"{line.when} · {line.who}: {text}", flush=True)

    def turn(self, now: datetime) -> None:
        """Nothing to show."""


@contextmanager
def _page(console: Console) -> Iterator[Page]:
    _title(console, "Демонстрация sarafan")
    _print(console, "\n".join(INTRO))
    if not console.is_terminal:
        yield _Plain()
        return
    columns = (TextColumn("[bold]{task.description:<12}"), BarColumn(bar_width=None), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Terminal(console, progress)


def _title(console: Console, text: str) -> None:
    if console.is_terminal:
        console.print()
        console.rule(Text(text, "bold"), style="bold")
    else:
        print(f"\n=== {text} ===")


def _print(console: Console, text: str) -> None:
    """On a terminal lines break between words, and no-break spaces hold; elsewhere each stays as it is."""
    for line in text.splitlines():
        indent = "  " if line.startswith("• ") else ""
        print(
            textwrap.fill(
                line, console.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )
            if console.is_terminal
            else line
        )


def _checked(console: Console, rows: Sequence[Checked]) -> int:
    _title(console, "Посчитано по событиям рассказа")
    _print(console, "Что пришло людям, что они ответили и что стоит в amoCRM — без участия программы:")
    for row in rows:
        verdict = "совпадает с отчётом" if row.is_right else f"НЕ СОВПАДАЕТ: {row.differences}"
        _print(console, f"• {row.title}: {row.text} — {verdict}.")
    if not all(row.is_right for row in rows):
        return _fail("Отчёт расходится с тем, что было в рассказе: это ошибка программы.")
    print()
    _print(console, "\n".join(NEXT).format(sarafan=_command()))
    return 0


def _command() -> str:
    """As the reader can type it: `make demo` installs where no shell looks."""
    called = Path(sys.argv[0])
    return "sarafan" if shutil.which("sarafan") or called.name != "sarafan" else str(called)


# The worker's log


class Errors(logging.Handler):
    """Keeps what the worker logs as an error: its flows go on after one, the demo does not."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(TextLines())
        self.addFilter(Mask())
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))

    def complain(self) -> None:
        if self.records:
            raise WorkerFailed("\n".join(self.records))


@contextmanager
def log_in(folder: Path) -> Iterator[Errors]:
    """Warnings go to a file beside the database, errors are kept; the story is not disturbed."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    file = logging.FileHandler(folder / "sarafan.log", encoding="utf-8")
    file.setFormatter(TextLines())
    file.addFilter(Mask())
    errors = Errors()
    root.handlers[:] = [*before, file, errors]
    root.setLevel(logging.WARNING)
    try:
        yield errors
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        file.close()
