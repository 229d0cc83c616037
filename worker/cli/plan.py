"""A dry run: what would be sent, to whom, when, by which channel, with which text, and why not. `plan`."""

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from worker.cli import rollout
from worker.cli.common import say
from worker.cli.usage import FAILED, WRONG

if TYPE_CHECKING:
    import httpx

    from storage.database import Database
    from storage.tables.surveys import Survey
    from worker.actions.considering import Case
    from worker.app import App
    from worker.clock import Clock
    from worker.config.settings import Settings

CODE = "•••••••"  # a dry run hands no code out
WAITS: Mapping[
    str, tuple[str, str]
] = {  # what only delays is in no report, so the texts have no words for it
    "window": ("не время писать", "outside the send window"),
    "turn": ("ждём ответа на другой вопрос", "another question is open"),
    "human": ("с клиентом говорит сотрудник", "a person talks with the client"),
    "pace": ("не больше разрешённого за раз", "no faster than allowed"),
    "channel": ("мессенджер не отвечает", "the messenger does not answer"),
    "service": ("amoCRM не отвечает", "amoCRM does not answer"),
    "held": ("ждём решения руководителя", "waits for a head's word"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One question that would go out, now or later, or not at all. The contact is masked."""

    survey: str
    deal_id: int
    contact: str
    channel: str
    due_at: str  # ISO 8601 with offset
    decision: str  # send, wait, skip
    reason: str  # a code of `texts.ru.md` 5, or what it waits for
    text: str


def run(settings: "Settings", *, since: datetime | None, as_json: bool) -> int:
    """`sarafan plan`: the exit code."""
    from integrations.errors import OutsideError
    from storage.errors import StorageError
    from worker.account.resolve import AccountProblems
    from worker.cli.outside import explained

    try:
        lines = asyncio.run(make_plan(settings, since=since))
    except AccountProblems as problems:
        typer.echo(str(problems), err=True)
        return WRONG
    except OutsideError as error:
        typer.echo(explained(settings, error), err=True)
        return FAILED
    except StorageError as error:
        typer.echo(error.say(settings.company.language), err=True)
        return FAILED
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=2))
    else:
        _print(settings, lines, since)
        if settings.delivery.preview and asyncio.run(rollout.look(settings)).word is None:
            typer.echo(f"\n{rollout.closed(settings)}")
    return 0


async def make_plan(
    settings: "Settings",
    *,
    since: datetime | None,
    clock: "Clock | None" = None,
    transports: "Mapping[str, httpx.AsyncBaseTransport] | None" = None,
    requests_per_second: float = 1,
) -> list[Line]:
    """The real pull and the real decisions, upon a copy of the storage that is thrown away.

    One request a second, for a worker may be running.
    """
    from worker.app import App
    from worker.clock import RealClock

    with tempfile.TemporaryDirectory(prefix="sarafan-plan-") as folder:
        db = await _copy(settings, Path(folder) / "plan.db", since)
        try:
            app = await App.build(
                settings,
                db=db,
                clock=clock or RealClock(),
                transports=transports,
                requests_per_second=requests_per_second,
                is_copy=True,
            )
            if since is not None:
                app.hands.surveys_since = since
            try:
                return await _look(app)
            finally:
                await app.close()
        finally:
            await db.close()


async def _copy(settings: "Settings", path: Path, since: datetime | None) -> "Database":
    from storage import state
    from storage.backup import scratch_copy
    from storage.database import Database
    from storage.deals import SURVEYS_SINCE, WATERMARK
    from storage.errors import NoDatabase

    try:
        db = await Database.open(settings.storage.url, migrate=False, must_exist=True)
    except NoDatabase:
        copy = await Database.open(f"sqlite:///{path}")  # The worker has not been started yet.
    else:
        try:
            copy = await scratch_copy(db, path)
        finally:
            await db.close()
    if since is not None:
        async with copy.transaction() as tx:
            await state.forget(tx, WATERMARK)
            await state.forget(tx, SURVEYS_SINCE)
    return copy


async def _look(app: "App") -> list[Line]:
    from sqlmodel import and_, col, or_, select

    from storage import deals
    from storage.tables.surveys import Survey, SurveyState
    from worker.flows.pull import pull

    hands = app.hands
    await app.know_account()
    began = hands.now()
    async with hands.db.transaction() as tx:
        if await deals.surveys_since(tx) is None:
            # Else the pull would warn of an empty database, as if this copy were to stay.
            await deals.remember_surveys_since(tx, began.replace(microsecond=0))
    await pull(hands)
    async with hands.db.reading() as tx:
        rows = await tx.exec(
            select(Survey)
            .where(
                or_(
                    Survey.state == SurveyState.PLANNED,
                    # What was settled by this very pull.
                    and_(Survey.state == SurveyState.SKIPPED, col(Survey.settled_at) >= began),
                )
            )
            .order_by(col(Survey.due_at), col(Survey.id))
        )
        surveys = rows.all()
    lines = [await _line(app, survey) for survey in surveys]
    return [*lines, *await _old_deals(app, began)]


async def _line(app: "App", survey: "Survey") -> Line:
    from storage.tables.surveys import SurveyState
    from worker.actions.considering import consider
    from worker.rules.eligibility import Reason, Send, Skip, Wait

    hands, now = app.hands, app.hands.now()
    if survey.state == SurveyState.SKIPPED:
        return _written(app, survey, None, "skip", survey.reason)
    case = await consider(hands, survey, max(now, survey.due_at))
    match case.decision if case is not None else Skip(Reason.DELETED):
        case Skip(reason):
            return _written(app, survey, case, "skip", reason)
        case Wait(_, reason):
            return _written(app, survey, case, "wait", reason)
        case Send():
            is_due = survey.due_at <= now
            return _written(app, survey, case, "send" if is_due else "wait", "")


def _written(app: "App", survey: "Survey", case: "Case | None", decision: str, reason: str) -> Line:
    from worker.actions.friend_codes import may_carry_code
    from worker.actions.question_words import question_for
    from worker.rules.people import client_name
    from worker.rules.phone import mask
    from worker.rules.promo import shown

    hands, contact, channel, text = app.hands, "", "", ""
    if case is not None and case.client is not None:
        contact = " ".join(filter(None, (client_name(case.client.name)[:1], mask(case.client.phone))))
    if case is not None and case.route is not None and case.client is not None and decision != "skip":
        channel = case.route.channel.name
        may_carry = case.rule.promo_in == "question" and may_carry_code(hands, case.contact, channel)
        question = question_for(
            hands, survey, case.rule, case.deal, case.client, case.route.channel,
            code=shown(hands.referral.code_prefix, CODE) if may_carry else "",
            thanks="", is_first=True, is_last=True,
        )  # fmt: skip
        text = question.message.text
    return Line(
        survey=survey.survey_key,
        deal_id=survey.deal_id,
        contact=contact,
        channel=channel,
        due_at=survey.due_at.astimezone(hands.calendar.zone).isoformat(timespec="seconds"),
        decision=decision,
        reason=str(reason),
        text=text,
    )


async def _old_deals(app: "App", began: datetime) -> list[Line]:
    """Deals that were closed before the start: nobody is asked about them, and no report counts them."""
    from sqlmodel import col, select

    from storage.tables.deals import Deal
    from worker.actions.reading import facts_of
    from worker.flows.pull import planning_policy
    from worker.rules.eligibility import Reason
    from worker.rules.planning import plan_surveys

    hands = app.hands
    async with hands.db.reading() as tx:
        policy = await planning_policy(tx, hands)
        deals = (
            await tx.exec(select(Deal).where(col(Deal.seen_at) >= began).order_by(col(Deal.deal_id)))
        ).all()
    return [
        Line(
            survey=planned.rule.key,
            deal_id=deal.deal_id,
            contact="",
            channel="",
            due_at=planned.due_at.astimezone(hands.calendar.zone).isoformat(timespec="seconds"),
            decision="skip",
            reason=str(planned.skip),
            text="",
        )
        for deal in deals
        for planned in plan_surveys(
            facts_of(deal, hands), hands.known.rules, policy, hands.calendar, hands.window
        )
        if planned.skip is Reason.OLD_DEAL
    ]


def _print(settings: "Settings", lines: Sequence[Line], since: datetime | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from worker.rules.channels import channel_titles

    console = Console()
    if not lines:
        nothing = say(settings, "По этому плану никого не спросим.", "By this plan nobody is asked.")
        hint = say(
            settings,
            "Посмотреть на прошлых сделках: sarafan plan --since ДАТА.",
            "To try it upon past deals: sarafan plan --since DATE.",
        )
        console.print(nothing if since is not None else f"{nothing} {hint}")
        return
    ru = ("Опрос", "Сделка", "Кому", "Канал", "Когда", "Решение", "Причина")
    en = ("Survey", "Deal", "To", "Channel", "Due", "Decision", "Reason")
    table = Table(header_style="bold", box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    for title in en if settings.company.language == "en" else ru:
        # A date is broken before its time only; else rich takes the room from every column alike.
        table.add_column(title, overflow="fold", min_width=10 if title in ("Когда", "Due") else None)
    words = {
        "send": say(settings, "спросим", "ask"),
        "wait": say(settings, "ждём", "wait"),
        "skip": say(settings, "не спросим", "do not ask"),
    }
    channels = {"": "", **channel_titles(settings.texts, {line.channel for line in lines if line.channel})}
    for line in lines:
        due = datetime.fromisoformat(line.due_at)
        table.add_row(
            line.survey, str(line.deal_id), line.contact, channels[line.channel], f"{due:%d.%m.%Y %H:%M}",
            words[line.decision], _phrase(settings, line.reason),
        )  # fmt: skip
    console.print(table)
    shown: dict[tuple[str, str], str] = {}
    for line in lines:
        if line.text:
            shown.setdefault((line.survey, line.channel), line.text)
    for (survey, channel), text in shown.items():
        console.print(f"\n[bold]{survey}, {channels[channel]}[/bold]\n{escape(text)}", highlight=False)


def _phrase(settings: "Settings", reason: str) -> str:
    if reason in WAITS:
        return say(settings, *WAITS[reason])
    key = f"reason.{reason}"
    return settings.texts.fill(key) if settings.texts.has(key) else reason
