"""Trouble of the installation, told to the administrator: once per case, and once when it is over."""

import logging
from collections.abc import Iterator
from datetime import datetime

from integrations.amocrm.auth import LoginState
from integrations.amocrm.client import Condition
from integrations.channels.base import Outgoing
from integrations.errors import Unreachable
from storage import outbox, state
from storage.tables import Json, Outbox
from worker.actions.base import Hands, Later
from worker.rules.calendar import quiet_until

log = logging.getLogger(__name__)

KIND = "tell_trouble"
CHANNEL = "telegram"
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
    """Keep how it stands; an act tells it, if there is something to tell."""
    now = hands.now()
    async with hands.db.transaction() as tx:
        kept = await state.recall(tx, _key(case))
        is_known = kept is not None and not kept["is_over"]
        if is_known == bool(text):
            return  # as it was, or something else that is wrong with the same: told once
        was_told = bool(kept and kept["is_told"])
        if text:
            await state.remember(
                tx, _key(case), {"text": text, "n": n, "is_told": was_told, "is_over": False}
            )
        elif kept is not None:
            await state.remember(tx, _key(case), {**kept, "is_over": True})
        await outbox.ask_again(tx, KIND, _key(case), {"case": case}, now, now)
        if not text:
            await outbox.try_refused(tx, now, "amocrm")
    hands.wake.act.set()


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
        case (True, False):
            return
        case (False, False):
            text = kept["text"]
        case (True, True):
            text = "trouble.over"
        case _:
            text = ""
    if text:
        _wait_for_morning(hands)
        name = hands.texts.fill(f"trouble.name.{case}")
        await _tell(hands, hands.texts.fill(text, name=name, n=int(kept.get("n") or 0)))
    async with hands.db.transaction() as tx:
        newer = await state.recall(tx, _key(case))
        if kept["is_over"] and newer == kept:
            await state.forget(tx, _key(case))
        elif newer is not None:  # It may have ended, or come back, while we told it: then we are asked again.
            await state.remember(tx, _key(case), {**newer, "is_told": not kept["is_over"]})


async def _tell(hands: Hands, text: str) -> None:
    channel = hands.channels.get(CHANNEL)
    if channel is None:
        log.error("%s", text)
        return
    reached = False
    for telegram_id in hands.administrators:
        try:
            await channel.send(str(telegram_id), Outgoing(text=text))
        except Unreachable as error:
            log.warning("an administrator cannot be reached in Telegram: %s", error)
        else:
            reached = True
            hands.health.count_message(channel.name, "out", "staff")
    if not reached:
        log.error("nobody could be told: %s", text)


def _wait_for_morning(hands: Hands) -> None:
    ends = quiet_until(hands.now(), hands.alerts.quiet_hours, hands.calendar.zone)
    if ends > hands.now():
        raise Later(ends, "quiet hours")


def _key(case: str) -> str:
    return f"trouble:{case}"
