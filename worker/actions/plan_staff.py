"""/plan and the first list: who will be asked, as it would be decided when each question is due."""

from datetime import datetime, time, timedelta

from integrations.channels.base import Button
from storage import deals, finding, paused, people, rollout
from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.actions.considering import consider
from worker.rules.eligibility import Reason, Skip, Wait
from worker.rules.localtime import moment_at
from worker.staff.commands import FIRST_LIST, LEADERS, Wish
from worker.staff.desk import Answer, Desk, Rows
from worker.staff.pausing import told
from worker.staff.planned import ON_A_PAGE, PlanLine, plan_answer

SWITCH = "r"  # begins the data of «Включить отправку» and «Пока не надо»


def midnight(hands: Hands, days: int) -> datetime:
    """So many days from now, in the company's time zone."""
    today = hands.now().astimezone(hands.calendar.zone).date()
    return moment_at(today + timedelta(days=days), time(), hands.calendar.zone)


async def plan_for(desk: Desk, hands: Hands, wish: Wish) -> Answer:
    """The wished page. While sending is not switched on, with the buttons that do it."""
    is_first_list = wish.command == FIRST_LIST
    until = midnight(hands, days=2) if is_first_list else None
    async with hands.db.reading() as tx:
        rows, count = await finding.planned(
            tx, desk.only, offset=wish.page * ON_A_PAGE, limit=ON_A_PAGE, until=until
        )
        pause = await paused.current(tx, desk.now)
        is_closed = hands.preview and await rollout.agreed(tx) is None
        has_waited = await rollout.has_due(tx, midnight(hands, days=1))
    said = [told(desk.texts, pause, desk.now, desk.zone)] if pause is not None else []
    if is_closed:
        said.append(desk.texts.fill("rollout.closed"))
    head = ""
    if is_first_list:
        head = "rollout.preview.waiting" if has_waited else "rollout.preview"
    return plan_answer(
        desk,
        wish,
        [await _line(hands, survey, is_closed=is_closed) for survey in rows],
        count,
        "\n".join(said),
        head=head or "plan.title",
        buttons=switches(hands) if is_closed and desk.person.role in LEADERS else (),
    )


def switches(hands: Hands) -> Rows:
    return (
        (Button(hands.texts.fill("button.start_sending"), data=f"{SWITCH}:on"),),
        (Button(hands.texts.fill("button.not_yet"), data=f"{SWITCH}:off"),),
    )


async def _line(hands: Hands, survey: Survey, *, is_closed: bool) -> PlanLine:
    """By what is known now. `is_closed`: that a head has to agree first is said above, for all of them."""
    now = hands.now()
    case = await consider(hands, survey, max(now, survey.due_at), is_agreed=is_closed)
    at, reason, is_skipped = max(now, survey.due_at), "", False
    # A survey that was taken out of the settings is not sent.
    match case.decision if case is not None else Skip(Reason.DELETED):
        case Wait(until, why):
            at, reason = until, str(why)
        case Skip(why):
            reason, is_skipped = str(why), True
        case _:
            pass
    async with hands.db.reading() as tx:
        client = await people.client(tx, survey.client_id) if survey.client_id is not None else None
        deal = await deals.deal(tx, survey.deal_id)
    route = case.route if case is not None else None
    return PlanLine(
        survey_key=survey.survey_key,
        metric=survey.metric,
        client=client.name if client is not None else "",
        phone=client.phone if client is not None else None,
        deal=deal.name if deal is not None else "",
        channel=route.channel.name if route is not None and not is_skipped else "",
        at=at,
        is_skipped=is_skipped,
        reason=reason,
    )
