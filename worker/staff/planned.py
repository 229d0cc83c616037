"""/plan: the next questions that will go out, to whom, when and by which channel, and what keeps others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.rules.formats import cut_words
from worker.rules.moments import moment_text
from worker.staff.commands import Wish
from worker.staff.desk import Answer, Desk, Rows, beside

ON_A_PAGE = 10
LONGEST_NAME = 60  # characters of a deal's name


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One question. `at` is when it is looked at next; `reason` is why it waits, or is not sent."""

    survey_key: str
    metric: str
    client: str
    phone: str | None
    deal: str
    channel: str
    at: datetime
    is_skipped: bool
    reason: str


def plan_answer(
    desk: Desk,
    wish: Wish,
    lines: Sequence[PlanLine],
    count: int,
    stopped: str,
    *,
    head: str = "plan.title",
    buttons: Rows = (),
) -> Answer:
    """`lines` are those of the wished page, `count` is how many there are; `stopped` says that none go out.

    `head` is the key of what stands above, `buttons` stand below those of the pages.
    """
    if not count:
        text = "\n".join(filter(None, (desk.texts.fill("plan.none"), stopped)))
        return Answer(text=text, buttons=buttons)
    shown = "\n\n".join(_line(desk, line) for line in lines)
    of = -(-count // ON_A_PAGE)
    page = min(wish.page, of - 1)
    foot = desk.texts.fill("page", n=page + 1, m=of) if of > 1 else ""
    # What stands above ends in a colon: the list follows it.
    text = "\n\n".join(filter(None, (stopped, desk.texts.fill(head, n=count), shown, foot)))
    row = beside(desk, wish, page, of)
    return Answer(text=text, buttons=(*((row,) if row else ()), *buttons))


def _line(desk: Desk, line: PlanLine) -> str:
    texts = desk.texts
    values = {
        "client": desk.client(line.client, line.phone, line.deal),
        "survey": desk.title(line.survey_key, line.metric),
        "deal": cut_words(line.deal, LONGEST_NAME) if desk.sees_names else "",
    }
    if line.is_skipped:
        return texts.fill("plan.skip", reason=texts.fill(f"reason.{line.reason}"), **values)
    return texts.fill(
        "plan.line",
        when=moment_text(texts, line.at, desk.zone),
        channel=texts.fill(f"channel.{line.channel}") if line.channel else "",
        reason=texts.fill(f"waits.{line.reason}") if texts.has(f"waits.{line.reason}") else "",
        **values,
    )
