"""Do the messengers still work? Looked at by the hour, heard from their gateways, told to administrators."""

from collections.abc import Mapping
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from storage import channels
from storage.channels import Deliveries
from worker.actions.base import Hands
from worker.actions.noting import note, open_case
from worker.rules.channels import (
    Arrived,
    Traffic,
    cause_of,
    channel_titles,
    has_fallen,
    has_recovered,
    is_heard,
    past_span,
    recent_span,
    silent_since,
    unheard_span,
)

EVERY = timedelta(hours=1)
FIRST = timedelta(minutes=10)  # after a start: what has waited for us at the gateways comes in before that
LASTS = timedelta(minutes=5)  # a state that is over sooner is not told
FORGOTTEN = timedelta(days=7)  # not every gateway tells that it is well again
NONE = Deliveries(0, 0)


async def look_at_channels(hands: Hands) -> None:
    """Once an hour: whether less arrives than usual, and whether a channel is silent."""
    now = hands.now()
    if hands.channels_looked_at is None:
        hands.channels_looked_at = now + FIRST - EVERY
    if now < hands.channels_looked_at + EVERY:
        return
    hands.channels_looked_at = now
    telling = [name for name, channel in hands.channels.items() if channel.has_receipts]
    if not telling:
        return
    async with hands.db.reading() as tx:
        recent = await channels.deliveries(tx, *recent_span(now))
        past = await channels.deliveries(tx, *past_span(now))
        sendings = await channels.sendings(tx, *unheard_span(now))
    async with hands.db.transaction() as tx:
        is_news = False
        for name in telling:
            is_news |= await _judge_deliveries(tx, hands, name, _arrived(recent, name), _arrived(past, name))
            sending = sendings.get(name)
            traffic = (
                Traffic()
                if sending is None
                else Traffic(
                    sent=sending.sent,
                    first_sent_at=sending.first_sent_at,
                    last_heard_at=sending.last_heard_at,
                )
            )
            is_news |= await _judge_silence(tx, hands, name, traffic)
    if is_news:
        hands.wake.act.set()


async def _judge_deliveries(
    tx: AsyncSession, hands: Hands, name: str, recent: Arrived, past: Arrived
) -> bool:
    case = f"down:{name}"
    if (kept := await open_case(tx, case)) is not None:
        if has_recovered(recent, Arrived(*kept["usual"])):
            return await note(tx, hands, case, "")
    elif has_fallen(recent, past):
        values = {
            "channel": _title(hands, name),
            "share": str(recent.percent),
            "usual": str(past.percent),
            "remedy": hands.texts.fill("channel.remedy.down"),
        }
        # What was usual then: by and by the fall itself becomes the past.
        return await note(tx, hands, case, "channel.down", values=values, beside={"usual": list(past)})
    return False


async def _judge_silence(tx: AsyncSession, hands: Hands, name: str, traffic: Traffic) -> bool:
    case, now = f"silent:{name}", hands.now()
    if is_heard(traffic, now):
        return await note(tx, hands, case, "")
    since = silent_since(traffic, now)
    # A gateway that says itself why it is silent has been told of.
    if since is None or await open_case(tx, f"state:{name}") is not None:
        return False
    values = {"channel": _title(hands, name)}
    return await note(tx, hands, case, "channel.silent", values=values, beside={"since": since.isoformat()})


async def note_state(tx: AsyncSession, hands: Hands, name: str, reason: str, *, about: str = "") -> None:
    """What a gateway says of itself, or of a template, in the transaction that takes it in; "" is well."""
    case = f"state:{name}:{about}" if about else f"state:{name}"
    if not reason:
        await note(tx, hands, case, "", after=LASTS)
        return
    cause = cause_of(reason)
    values = {
        "channel": _title(hands, name),
        "cause": hands.texts.fill(f"channel.cause.{cause.key}", value=cause.detail),
        "remedy": hands.texts.fill(f"channel.remedy.{cause.key}"),
    }
    await note(tx, hands, case, "channel.state", values=values, after=LASTS, forgotten_after=FORGOTTEN)


async def note_hook(tx: AsyncSession, hands: Hands, name: str, taken_by: str) -> bool:
    """Whose the one address is that this channel's account posts to: another program's at this host, or ours
    (""). One case for all channels of an account, which share the address."""
    if taken_by:
        values = {"value": taken_by, "cause": taken_by}
        return await note(tx, hands, "hook", "wazzup.hook", values=values, beside={"found_by": name})
    kept = await open_case(tx, "hook")
    return kept is not None and kept["found_by"] == name and await note(tx, hands, "hook", "")


def _arrived(found: Mapping[str, Deliveries], name: str) -> Arrived:
    counted = found.get(name, NONE)
    return Arrived(counted.delivered, counted.sent)


def _title(hands: Hands, name: str) -> str:
    return channel_titles(hands.texts, {*hands.channels, name})[name]
