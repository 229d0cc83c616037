"""Trouble of the installation, told to the administrator: once per case, and once when it is over."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from integrations.amocrm.auth import LoginState
from integrations.amocrm.connection import Condition
from integrations.channels.base import Outgoing
from storage import outbox, state
from storage.tables.columns import Json
from storage.tables.queues import Outbox
from worker.account.people import Staff
from worker.actions.base import Hands, Later
from worker.actions.noting import KIND, cause_of, key_of, note
from worker.actions.reaching import Postponed
from worker.actions.telling import begin
from worker.rules.calendar import quiet_until
from worker.rules.moments import age_text
from worker.rules.wording import Value

log = logging.getLogger(__name__)

STAGES = (1, 7, 30)  # days before the end of a long-lived token at which we warn
UNPAID = "the subscription is over (402), what has to be written waits"
CLOCK = "the clock of this machine jumped and amoCRM's does not agree: nothing goes to clients"
LOGINS = {
    LoginState.MISSING: "amo.pair_dead",
    LoginState.DEAD: "amo.pair_dead",
    LoginState.UNSURE: "amo.pair_unsure",
    LoginState.KEYS: "amo.pair_keys",
}


def cases(condition: Condition) -> Iterator[tuple[str, str]]:
    """(case, key of the text that tells it, or "" when all is well). Of what is not known nothing is said."""
    if condition.login in LOGINS:
        yield "token", LOGINS[condition.login]
    elif condition.is_refused is not None:
        dead = "amo.token_dead" if condition.login is None else "amo.pair_dead"
        yield "token", dead if condition.is_refused else ""
    if condition.is_blocked is not None:
        yield "blocked", "amo.banned" if condition.is_blocked else ""
    yield "busy", "amo.busy" if condition.is_busy else ""
    if condition.is_unpaid is not None:
        yield "unpaid", "amo.unpaid" if condition.is_unpaid else ""


class Watch:
    """Looks at how we stand with amoCRM, and has it told when that changes."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._seen: dict[str, str] = {}
        self._stage: int | None = None

    async def look(self) -> None:
        hands, condition = self._hands, self._hands.amocrm.condition
        hands.health.set_circuit("amocrm", is_open=hands.amocrm.is_circuit_open)
        hands.health.set_trouble("amocrm", UNPAID if condition.is_unpaid else "")
        clock = self._clock()
        for case, text in (*cases(condition), *clock):
            if self._seen.get(case) == text:
                continue
            if case == "token":
                hands.health.set_token("amocrm", is_valid=not text or text == "amo.pair_unsure")
            await _note(hands, case, text, n=self._seconds_off() if case == "clock" else 0)
            self._seen[case] = text
        if hands.token_ends is not None:
            await self._warn_of_the_end(hands.token_ends)

    def _clock(self) -> Iterator[tuple[str, str]]:
        watch = self._hands.clock_watch
        if watch is None:
            return
        is_right = watch.is_right()
        self._hands.health.set_trouble("clock", "" if is_right else CLOCK)
        if is_right or watch.off_by is not None:  # A jump that amoCRM has not been heard on yet may be right.
            yield "clock", "" if is_right else "clock"

    def _seconds_off(self) -> int:
        off = self._hands.clock_watch.off_by if self._hands.clock_watch else None
        return round(abs(off).total_seconds()) if off else 0

    async def _warn_of_the_end(self, ends: datetime) -> None:
        left = ends - self._hands.now()
        stage = next((days for days in STAGES if left.days <= days), None)
        if stage is None or stage == self._stage:
            return
        now = self._hands.now()
        async with self._hands.db.transaction() as tx:
            payload: Json = {"text": "amo.token_soon", "n": max(left.days, 0)}
            await outbox.add_once(tx, KIND, f"trouble:ends:{ends:%Y-%m-%d}:{stage}", payload, now, now)
        self._stage = stage
        self._hands.wake.act.set()


async def _note(hands: Hands, case: str, text: str, *, n: int = 0) -> None:
    """How we stand with amoCRM; what it refused meanwhile is tried at once when it is well again."""
    async with hands.db.transaction() as tx:
        if await note(tx, hands, case, text, n=n) and not text:
            await outbox.try_refused(tx, hands.now(), "amocrm")
    hands.wake.act.set()


async def tell_trouble(item: Outbox, hands: Hands) -> None:
    """What is wrong, or that it works again. What was over before anybody heard of it is not told."""
    case = str(item.payload.get("case") or "")
    if not case:
        _wait_for_morning(hands)
        await _tell(item, hands, hands.texts.fill(str(item.payload["text"]), n=int(item.payload["n"])))
        return
    async with hands.db.reading() as tx:
        kept = await state.recall(tx, key_of(case))
    if kept is None:
        return
    match (kept["is_told"], kept["is_over"]):
        case (True, False) if cause_of(kept) == kept.get("told_cause"):
            return
        case (_, False):
            text = kept["text"]
        case (True, True):
            text = "trouble.over"
        case _:
            text = ""
    if text:
        _wait_until_it_lasts(kept, hands.now())
        _wait_for_morning(hands)
        await _tell(item, hands, _worded(hands, case, kept, text))
    async with hands.db.transaction() as tx:
        newer = await state.recall(tx, key_of(case))
        if kept["is_over"] and newer == kept:
            await state.forget(tx, key_of(case))
        elif newer is not None:  # It may have ended, or come back, while we told it: then we are asked again.
            told = {"is_told": not kept["is_over"], "told_cause": cause_of(kept)}
            await state.remember(tx, key_of(case), {**newer, **told})


def _worded(hands: Hands, case: str, kept: Json, text: str) -> str:
    values: dict[str, Value] = {**(kept.get("values") or {}), "n": int(kept.get("n") or 0)}
    if kept.get("since"):
        # Told in the morning, it has lasted longer than when it was noted.
        values["age"] = age_text(hands.texts, hands.now() - datetime.fromisoformat(kept["since"]))
    values["name"] = hands.texts.fill(f"trouble.name.{case.partition(':')[0]}", **values)
    return hands.texts.fill(text, **values)


def _wait_until_it_lasts(kept: Json, now: datetime) -> None:
    if not_before := kept.get("not_before"):
        lasts_from = datetime.fromisoformat(not_before)
        if now < lasts_from:
            raise Later(lasts_from, "it may come and go")


async def _tell(item: Outbox, hands: Hands, text: str) -> None:
    telling, later, reached = await begin(item, hands), Postponed(), False
    for person in administrators((*hands.named_staff, *hands.invited)):
        with later:
            reached |= await telling.to(person.places, Outgoing(text=text))
    later.settle()
    await telling.end()
    if not reached:
        log.error("nobody could be told: %s", text)


def administrators(staff: Iterable[Staff]) -> Sequence[Staff]:
    """Who hears of trouble: the first of these roles that the company has."""
    people = list(staff)
    by_role = (
        [one for one in people if one.role == role and one.places] for role in ("admin", "owner", "head")
    )
    return next(filter(None, by_role), [])


def _wait_for_morning(hands: Hands) -> None:
    ends = quiet_until(hands.now(), hands.alerts.quiet_hours, hands.calendar.zone)
    if ends > hands.now():
        raise Later(ends, "quiet hours")
