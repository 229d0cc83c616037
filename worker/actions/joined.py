"""Many complaints in one message: a line and its buttons for each."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from integrations.channels.base import Button, Outgoing
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.surveys import Survey
from worker.actions.alert_words import LATE, late_text, staff_values
from worker.actions.base import Hands

A_MESSAGE = 20  # complaints: lines of 110 to 140 signs, and Telegram's limit is 4096

T = TypeVar("T")
Line = tuple[Complaint, str]
Case = tuple[Complaint, Survey | None, Deal | None, Client | None]


def joined(hands: Hands, head: str, lines: Sequence[Line]) -> Outgoing:
    """One message about all of them under `head`."""
    said = [head] if head else []
    buttons = [row for complaint, _ in lines if (row := _buttons(hands, complaint))]
    return Outgoing(text="\n".join([*said, *(line for _, line in lines)]), buttons=tuple(buttons))


def in_messages(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as one message holds, then the next."""
    for start in range(0, len(all_of_them), A_MESSAGE):
        yield all_of_them[start : start + A_MESSAGE]


def burst(hands: Hands, cases: Sequence[Case], *, sent_at: datetime) -> Outgoing:
    """Many alerts as one, each with what has become of it since."""
    head = burst_head(hands, [case[0] for case in cases], sent_at=sent_at)
    return joined(hands, head, [(case[0], burst_line(hands, case)) for case in cases])


def burst_head(hands: Hands, about: Sequence[Complaint], *, sent_at: datetime) -> str:
    in_amocrm = all(complaint.lead_id is not None for complaint in about)
    head = hands.texts.fill("alert.burst" if in_amocrm else "alert.burst.without_deals", n=len(about))
    first = min(complaint.opened_at for complaint in about)
    if sent_at - first > LATE:
        head = f"{late_text(hands, first)}\n{head}"
    return head


def burst_line(hands: Hands, case: Case) -> str:
    complaint, survey, deal, client = case
    values = staff_values(
        hands, client=client, deal=deal, survey=survey, complaint=complaint, now=hands.now()
    )
    line = hands.texts.fill("alert.burst_line", **values)
    return f"{line} · {complaint.lines[-1]}" if complaint.lines else line


def _buttons(hands: Hands, complaint: Complaint) -> tuple[Button, ...]:
    """The number tells which line a button belongs to."""
    row: list[Button] = []
    is_open = complaint.closed_at is None and complaint.left_at is None
    if is_open and not complaint.taken_by:
        label = hands.texts.fill("alert.line.take", no=complaint.id)
        row.append(Button(label, data=f"c:{complaint.id}:take"))
    elif is_open:
        label = hands.texts.fill("alert.line.more", no=complaint.id)
        row.append(Button(label, data=f"c:{complaint.id}:back"))
    if complaint.lead_id is not None:
        url = hands.amocrm.lead_url(complaint.lead_id)
        row.append(Button(hands.texts.fill("alert.line.open", no=complaint.id), url=url))
    return tuple(row)
