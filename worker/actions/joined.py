"""Many complaints in one message: a line and its buttons for each."""

from collections.abc import Iterator, Sequence

from integrations.channels.base import Button, Outgoing
from storage.tables import Complaint
from worker.actions.base import Hands

A_MESSAGE = 20  # complaints: lines of 110 to 140 signs, and Telegram's limit is 4096

Line = tuple[Complaint, str]


def joined(hands: Hands, head: str, lines: Sequence[Line]) -> Outgoing:
    """One message about all of them under `head`."""
    said = [head] if head else []
    buttons = [row for complaint, _ in lines if (row := _buttons(hands, complaint))]
    return Outgoing(text="\n".join([*said, *(line for _, line in lines)]), buttons=tuple(buttons))


def in_messages(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """As many as one message holds, then the next."""
    for start in range(0, len(lines), A_MESSAGE):
        yield lines[start : start + A_MESSAGE]


def _buttons(hands: Hands, complaint: Complaint) -> tuple[Button, ...]:
    """The number tells which line a button belongs to."""
    row: list[Button] = []
    is_open = complaint.closed_at is None and complaint.left_at is None
    if is_open and not complaint.taken_by:
        label = hands.texts.fill("alert.line.take", no=complaint.id)
        row.append(Button(label, data=f"c:{complaint.id}:take"))
    if complaint.lead_id is not None:
        url = hands.amocrm.lead_url(complaint.lead_id)
        row.append(Button(hands.texts.fill("alert.line.open", no=complaint.id), url=url))
    return tuple(row)
