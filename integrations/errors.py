"""What can go wrong outside, and what to do about it.

    OutsideError
    ├── Temporary       nothing happened; try again later (`retry_after` if they said when)
    ├── Uncertain       it may have happened; look before doing it again
    └── Permanent       trying again will not help; a person has to look
        ├── AccessDenied    the token is wrong, expired or lacks a right
        ├── Unreachable     this person cannot be reached on this channel; try the next
        ├── Taken           another program has the only address that the service posts to
        └── Rejected        some elements of a list were refused, their neighbours were not sent

A phone number or token never stands in an error's text.
"""

from collections.abc import Mapping
from datetime import timedelta


class OutsideError(Exception):
    """`service` is «amocrm», «telegram» …; `detail` is safe to show; `remedy` tells a person what to do."""

    def __init__(self, service: str, detail: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__(f"{service} {detail}")
        self.service = service
        self.detail = detail
        self.remedy = remedy
        self.status = status


class Temporary(OutsideError):
    """Nothing happened: a refused connection, 429, 503 with Retry-After, a failed read."""

    def __init__(
        self,
        service: str,
        detail: str,
        *,
        retry_after: timedelta | None = None,
        remedy: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(service, detail, remedy=remedy, status=status)
        self.retry_after = retry_after


class Uncertain(OutsideError):
    """A write whose answer was lost: it may have happened."""


class Permanent(OutsideError):
    """Trying again will not help."""


class AccessDenied(Permanent):
    """The token is wrong, expired or lacks a right."""


class Unreachable(Permanent):
    """This person cannot be reached on this channel: blocked, never started, not on this messenger."""


class Taken(Permanent):
    """Another program has the only address that the service posts to, at the host `by`. It is left alone."""

    def __init__(self, service: str, detail: str, *, by: str, remedy: str) -> None:
        super().__init__(service, detail, remedy=remedy)
        self.by = by


class Rejected(Permanent):
    """A list was refused because of some of its elements; nothing was applied.

    `elements` gives what was wrong by the element's `request_id` or ordinal.
    """

    def __init__(
        self, service: str, detail: str, elements: Mapping[str, str], *, status: int | None = None
    ) -> None:
        super().__init__(service, detail, status=status)
        self.elements = dict(elements)
