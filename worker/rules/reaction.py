"""What a response calls for: the kinds of outbox rows, in the order in which they matter."""

from enum import StrEnum

from worker.rules.scale import Band


class Do(StrEnum):
    """One thing to be done outside; the value is the kind of its row in the outbox."""

    OPEN_COMPLAINT = "open_complaint"
    ALERT_STAFF = "alert_staff"
    TASK = "deal_task"
    TELL_HEAD = "tell_head"
    WRITE_BACK = "sync_deal"
    NOTE_DEAL = "note_deal"
    THANK_CLIENT = "thank_client"


_ON_LOW: dict[str, tuple[Do, ...]] = {
    "complaint": (Do.OPEN_COMPLAINT, Do.ALERT_STAFF),
    "task": (Do.TASK, Do.TELL_HEAD),
    "tell": (Do.TELL_HEAD,),
    "nothing": (),
}


def react(
    *,
    band: Band | None,
    trigger: str = "deal_won",
    on_low: str = "complaint",
    has_words: bool = False,
    wants_reply: bool = False,
) -> tuple[Do, ...]:
    """What follows from a response; `band` is None for words without a score.

    Words that ask or complain get a task and go to the head under any score or none; a complaint carries them
    already. A low answer about a complaint alerts again and promises a call, but opens no second complaint.

    >>> [str(do) for do in react(band=Band.HIGH)]
    ['sync_deal', 'note_deal', 'thank_client']
    """
    owned: tuple[Do, ...] = ()
    if band is Band.LOW:
        is_about_complaint = trigger == "complaint_closed" and on_low == "complaint"
        owned = (Do.ALERT_STAFF, Do.TASK) if is_about_complaint else _ON_LOW[on_low]
    if wants_reply and Do.ALERT_STAFF not in owned:
        owned = (Do.TASK, Do.TELL_HEAD)
    written = (Do.WRITE_BACK,) if band is not None else ()
    noted = (Do.NOTE_DEAL,) if band is not None or has_words or wants_reply else ()
    thanked = (Do.THANK_CLIENT,) if written or noted else ()
    return (*owned, *written, *noted, *thanked)
