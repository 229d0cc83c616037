"""Trouble of the installation, told to the administrator: once per case, and once when it is over."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from integrations.amocrm.auth import LoginState
from integrations.amocrm.client import Condition
from integrations.channels.base import Outgoing
from storage import outbox, state
from storage.tables import Json, Outbox
from worker.account import Staff
from worker.actions.base import Hands, Later
from worker.actions.reaching import Postponed, reach
from worker.rules.calendar import quiet_until
from worker.rules.moments import age_text
from worker.rules.wording import Value

log = logging.getLogger(__name__)

KIND = "tell_trouble"
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


async def note(
    tx: AsyncSession,
    hands: Hands,
    case: str,
    text: str,
    *,
    n: int = 0,
    values: Mapping[str, Value] | None = None,
    beside: Json | None = None,
    after: timedelta = timedelta(0),
    forgotten_after: timedelta | None = None,
) -> bool:
    """Keep how it stands; an act tells it, if there is something to tell. True if that is news.

    `text`: the key of what tells it, "" when all is well. `values`: what the text names; with another `cause`
    the same case is told again. `beside`: what else the case has to remember. `after`: only what still stands
    so then is told, its end too: what comes and goes is not. `forgotten_after`: what was not noted for that
    long is told again, for its end may have been missed.
    """
    now, values = hands.now(), dict(values or {})
    kept = await state.recall(tx, _key(case))
    known = kept if kept is not None and not kept["is_over"] else None
    is_again = bool(text) and known is not None and _cause(known) == values.get("cause")
    if is_again and known is not None and not _is_forgotten(known, now, forgotten_after):
        if forgotten_after is not None:
            await state.remember(tx, _key(case), {**known, "noted_at": now.isoformat()})
        return False  # as it was, or something else that is wrong with the same: told once
    not_before = (now + after).isoformat() if after else ""
    if text:
        told: Json = {key: kept[key] for key in ("is_told", "told_cause") if key in kept} if kept else {}
        if is_again:
            told["told_cause"] = ""
        fresh: Json = {"text": text, "n": n, "values": values, "not_before": not_before, **(beside or {})}
        fresh["noted_at"] = now.isoformat()
        await state.remember(tx, _key(case), {"is_told": False, **told, **fresh, "is_over": False})
    elif known is not None:
        await state.remember(tx, _key(case), {**known, "is_over": True, "not_before": not_before})
    else:
        return False
    await outbox.ask_again(tx, KIND, _key(case), {"case": case}, now + after, now)
    return True


def _is_forgotten(kept: Json, now: datetime, after: timedelta | None) -> bool:
    return after is not None and now >= datetime.fromisoformat(kept["noted_at"]) + after


async def open_case(tx: AsyncSession, case: str) -> Json | None:
    """What was kept of a trouble that is not over yet."""
    kept = await state.recall(tx, _key(case))
    return None if kept is None or kept["is_over"] else kept


async def tell_trouble(item: Outbox, hands: Hands) -> None:
    """What is wrong, or that it works again. What was over before anybody heard of it is not told."""
    case = str(item.payload.get("case") or "")
    if not case:
        _wait_for_morning(hands)
        await _tell(hands, hands.texts.fill(str(item.payload["text"]), n=int(item.payload["n"])))
        return
    async with hands.db.reading() as tx:
        kept = await state.recall(tx, _key(case))
    if kept is None:
        return
    match (kept["is_told"], kept["is_over"]):
        case (True, False) if _cause(kept) == kept.get("told_cause"):
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
        await _tell(hands, _worded(hands, case, kept, text))
    async with hands.db.transaction() as tx:
        newer = await state.recall(tx, _key(case))
        if kept["is_over"] and newer == kept:
            await state.forget(tx, _key(case))
        elif newer is not None:  # It may have ended, or come back, while we told it: then we are asked again.
            told = {"is_told": not kept["is_over"], "told_cause": _cause(kept)}
            await state.remember(tx, _key(case), {**newer, **told})


def _worded(hands: Hands, case: str, kept: Json, text: str) -> str:
    values: dict[str, Value] = {**(kept.get("values") or {}), "n": int(kept.get("n") or 0)}
    if kept.get("since"):
        # Told in the morning, it has lasted longer than when it was noted.
        values["age"] = age_text(hands.texts, hands.now() - datetime.fromisoformat(kept["since"]))
    values["name"] = hands.texts.fill(f"trouble.name.{case.partition(':')[0]}", **values)
    return hands.texts.fill(text, **values)


def _cause(kept: Json) -> Value:
    cause: Value = (kept.get("values") or {}).get("cause")
    return cause


def _wait_until_it_lasts(kept: Json, now: datetime) -> None:
    if not_before := kept.get("not_before"):
        lasts_from = datetime.fromisoformat(not_before)
        if now < lasts_from:
            raise Later(lasts_from, "it may come and go")


async def _tell(hands: Hands, text: str) -> None:
    reached, later = False, Postponed()
    for person in administrators((*hands.named_staff, *hands.invited)):
        with later:
            reached |= await reach(hands, person.places, Outgoing(text=text)) is not None
    later.settle()
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


def _key(case: str) -> str:
    return f"trouble:{case}"
