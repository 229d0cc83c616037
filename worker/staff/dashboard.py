"""The dashboard: the report as a page for one of the staff, with the periods and managers to choose from."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from storage.narrowed import Only, narrowed
from storage.sellers import sellers
from worker.reports.build import build_report
from worker.reports.document import Document
from worker.reports.draw import draw
from worker.reports.page import Choice, Switch
from worker.staff.commands import DEFAULT_PERIOD, MANAGER, PERIODS, period_of
from worker.staff.desk import Desk

ALL_PERIODS = (*PERIODS, "y0", "y1")  # a page has room for years too
OWN = ("surveys.", "frt", "iqs")  # sections that a manager reads also by the commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is to be shown. A choice that there is not is no error: all is shown instead."""

    period: str = DEFAULT_PERIOD
    manager: int = 0  # amoCRM's id; 0: all

    @property
    def query(self) -> Mapping[str, str]:
        chosen = {"period": self.period}
        return {**chosen, "manager": str(self.manager)} if self.manager else chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A look at the numbers by one of the staff, as far as the role and the people followed let it reach."""

    look: Look
    only: Only
    is_own: bool  # of a manager's own results
    managers: Mapping[int, str]  # by name, to choose from


def look_of(period: str, manager: str) -> Look:
    """From the address of the page."""
    number = int(manager) if manager.isascii() and manager.isdigit() and len(manager) < 19 else 0
    return Look(period=period if period in ALL_PERIODS else DEFAULT_PERIOD, manager=number)


async def sight_of(desk: Desk, look: Look) -> Sight:
    if desk.person.role == MANAGER:
        return Sight(look=replace(look, manager=0), only=desk.only, is_own=True, managers={})
    period = period_of(look.period, desk.now, desk.zone)
    async with desk.db.reading() as tx:
        found = await sellers(
            tx, desk.only, period.begins, period.ends, but_pipeline=desk.scope.complaints_pipeline
        )
    # Who has nothing in this period stays chosen, so that the page says so, and not somebody else's figures.
    may_choose = not desk.only.managers or look.manager in desk.only.managers
    if look.manager and may_choose and look.manager in (desk.account.users or {}):
        found |= {look.manager}
    managers = _named(desk, found)
    chosen = look.manager if look.manager in managers else 0
    only = replace(desk.only, managers=frozenset({chosen})) if chosen else desk.only
    return Sight(look=replace(look, manager=chosen), only=only, is_own=False, managers=managers)


def _named(desk: Desk, user_ids: Iterable[int]) -> Mapping[int, str]:
    """By name; of two people with one name, name and id."""
    named = sorted((desk.account.user_name(user_id), user_id) for user_id in user_ids)
    often = Counter(name for name, _ in named)
    return {user_id: f"{name} ({user_id})" if often[name] > 1 else name for name, user_id in named}


async def document_for(desk: Desk, sight: Sight) -> Document:
    """As `/report` has it for this person."""
    scope = replace(desk.scope, sales_health=False) if sight.is_own else desk.scope
    period = period_of(sight.look.period, desk.now, desk.zone)
    document = draw(await build_report(narrowed(desk.db, sight.only), period, scope, desk.now), desk.texts)
    if sight.is_own:
        own = tuple(one for one in document.sections if one.key.startswith(OWN))
        document = replace(document, sections=own)
    lines = filter(None, (_about(desk, sight), document.subtitle))
    return replace(document, subtitle="\n".join(lines))


def _about(desk: Desk, sight: Sight) -> str:
    """Whose numbers these are, where they are not the whole company's."""
    if sight.is_own:
        return desk.person.name
    if sight.look.manager:
        return sight.managers[sight.look.manager]
    pipelines = [desk.scope.pipelines.get(one, str(one)) for one in desk.only.pipelines]
    people = [desk.account.user_name(one) for one in desk.only.managers]
    names = ", ".join((*sorted(pipelines), *sorted(people)))
    return desk.texts.fill("dashboard.only", name=names) if names else ""


def switches(desk: Desk, sight: Sight, address_of: Callable[[Look], str]) -> tuple[Switch, ...]:
    look = sight.look
    periods = tuple(
        Choice(
            title=desk.texts.fill(f"button.period.{key}"),
            url=address_of(replace(look, period=key)),
            is_chosen=key == look.period,
        )
        for key in ALL_PERIODS
    )
    rows = [Switch(title=desk.texts.fill("dashboard.period"), choices=periods)]
    if len(sight.managers) > 1 or look.manager:
        people = {0: desk.texts.fill("dashboard.everybody"), **sight.managers}
        managers = tuple(
            Choice(
                title=name, url=address_of(replace(look, manager=user_id)), is_chosen=user_id == look.manager
            )
            for user_id, name in people.items()
        )
        rows.append(Switch(title=desk.texts.fill("dashboard.manager"), choices=managers))
    return tuple(rows)
