"""What an answer to staff is made from, and what it is: a text with its buttons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.channels.base import Button
from storage.database import Database
from storage.narrowed import Only
from worker.account.account import Account
from worker.account.people import Staff
from worker.reports.build import ReportScope
from worker.rules.people import client_name
from worker.rules.phone import mask
from worker.rules.scale import Scale
from worker.rules.wording import Texts
from worker.staff.commands import LEADERS, MANAGER, Wish
from worker.staff.pages import pages

Rows = tuple[tuple[Button, ...], ...]

NOBODY = -1  # a manager without an account in amoCRM has no deals


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who asks, where, and all that an answer needs to know."""

    db: Database
    account: Account
    texts: Texts
    zone: ZoneInfo
    now: datetime
    scope: ReportScope
    person: Staff
    is_group: bool  # others read along: no phones, no surnames
    lead_url: Callable[[int], str]
    region: str = "RU"

    @property
    def only(self) -> Only:
        """What this person may see of the company."""
        if self.person.role == MANAGER:
            return Only(managers=frozenset({self.person.amocrm_user or NOBODY}))
        return Only(pipelines=self.person.pipelines, managers=self.person.managers)

    @property
    def sees_names(self) -> bool:
        return self.person.role in LEADERS and not self.is_group

    def client(self, name: str, phone: str | None, deal: str = "") -> str:
        """As in amoCRM for those who may read it; else the first name and the end of the number."""
        if self.sees_names:
            return name or self.texts.fill("client.unnamed", deal=deal)
        return " ".join(filter(None, (client_name(name).split(" ")[0], mask(phone)))) or "***"

    def title(self, survey_key: str, metric: str) -> str:
        """What a survey is called; of one that is no longer in the settings, by its metric."""
        known = next((asked.title for asked in self.scope.surveys if asked.key == survey_key), "")
        return known or self.texts.fill(f"survey.{metric}")

    def scale(self, survey_key: str) -> Scale | None:
        return next((asked.scale for asked in self.scope.surveys if asked.key == survey_key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    buttons: Rows = ()


def paged(
    desk: Desk, wish: Wish, head: str, blocks: Sequence[str], *, between: str = "\n\n", buttons: Rows = ()
) -> Answer:
    """The page that is wished for under `head`, with buttons to those beside it above `buttons`."""
    made = pages(blocks, between=between)
    page = min(wish.page, len(made) - 1)
    text = "\n\n".join(filter(None, (head, made[page])))
    if len(made) == 1:
        return Answer(text=text, buttons=buttons)
    foot = desk.texts.fill("page", n=page + 1, m=len(made))
    return Answer(text=f"{text}\n\n{foot}", buttons=(beside(desk, wish, page, len(made)), *buttons))


def beside(desk: Desk, wish: Wish, page: int, of: int) -> tuple[Button, ...]:
    """«Назад» and «Дальше», each where there is something."""
    row = []
    if page > 0:
        row.append(Button(desk.texts.fill("button.back"), data=wish.on_page(page - 1).data))
    if page + 1 < of:
        row.append(Button(desk.texts.fill("button.more"), data=wish.on_page(page + 1).data))
    return tuple(row)
