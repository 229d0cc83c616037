"""The walk through changed deals: few requests, no deal lost, each once, whatever amoCRM does meanwhile."""

import json
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.amocrm import walk
from integrations.amocrm.answers import Unsorted
from integrations.amocrm.client import AmoCrm
from integrations.amocrm.models import LeadPage
from integrations.errors import Permanent, Temporary
from integrations.pace import Pace
from integrations.standins.amocrm import AmoCrmStandIn
from tests.integrations.amocrm_setup import Impatient, client_of, lead_ids, walked
from tests.integrations.clock import Clock

OVERLAP = timedelta(seconds=300)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(clock: Clock) -> AmoCrmStandIn:
    return AmoCrmStandIn(clock, rate_limit=None)


@pytest.fixture
async def amocrm(account: AmoCrmStandIn) -> AsyncIterator[AmoCrm]:
    client = client_of(account)
    yield client
    await client.close()


def close_a_minute_apart(account: AmoCrmStandIn, clock: Clock, count: int) -> list[int]:
    """Deals with a contact each, closed one after the other."""
    deals = [
        account.add_lead(f"Ворота {number}", [account.add_contact(f"Клиент {number}")])
        for number in range(count)
    ]
    for deal in deals:
        clock.forward(minutes=1)
        account.close_lead(deal)
    return deals


# With filters


async def test_a_thousand_deals_take_ten_requests_and_then_one(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    since = clock()
    deals = close_a_minute_apart(account, clock, 1000)
    pages = await walked(amocrm.changed_leads(since, filtered=True))
    contacts = await amocrm.contacts(
        [contact for page in pages for lead in page.leads for contact in lead.contact_ids], filtered=True
    )
    assert lead_ids(pages) == deals
    assert len(contacts) == 1000
    assert [request.path for request in account.requests] == ["/api/v4/leads"] * 5 + ["/api/v4/contacts"] * 5

    account.requests.clear()
    watermark = pages[-1].newest
    assert watermark == clock()
    again = await walked(amocrm.changed_leads(watermark - OVERLAP, filtered=True))
    assert lead_ids(again) == deals[-6:]  # those of the overlap, unchanged
    assert len(account.requests) == 1


async def test_never_more_than_the_rate_in_any_second(clock: Clock) -> None:
    """Counted where the requests arrive; the stand-in would answer a burst with 429."""
    account = AmoCrmStandIn(clock, rate_limit=7)
    amocrm = client_of(account, Pace(7))
    ids = [account.add_contact(f"Клиент {number}") for number in range(10)]
    assert len(await amocrm.contacts(ids, filtered=False)) == 10
    arrivals = [request.seconds for request in account.requests]
    assert all(sum(first <= other < first + 1 for other in arrivals) <= 7 for first in arrivals)
    assert {request.status for request in account.requests} == {200}
    await amocrm.close()


async def test_nothing_changed_is_an_empty_page(amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock) -> None:
    account.add_lead()
    pages = await walked(amocrm.changed_leads(clock() + timedelta(seconds=1), filtered=True))
    assert pages == [LeadPage(leads=())]
    assert account.requests[-1].status == 204


async def test_the_watermark_never_runs_ahead_of_what_was_handed_over(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    since = clock()
    close_a_minute_apart(account, clock, 600)
    newest = []
    async for page in amocrm.changed_leads(since, filtered=True):
        assert page.newest
        assert all(lead.updated_at <= page.newest for lead in page.leads)
        newest.append(page.newest)
    assert newest == sorted(newest)


@pytest.mark.parametrize("filters", [True, False])
async def test_a_time_in_the_future_does_not_move_the_watermark_beyond_their_clock(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock, filters: bool
) -> None:
    account.filters = filters
    deal = account.add_lead()
    account.leads[deal].updated_at += 10**7
    pages = await walked(amocrm.changed_leads(clock() - OVERLAP, filtered=filters))
    assert lead_ids(pages) == [deal]
    assert pages[-1].newest == clock()
    assert await amocrm.newest_change() == clock()


@pytest.mark.parametrize("filters", [True, False])
async def test_deals_that_change_while_the_pages_turn_are_not_lost(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock, filters: bool
) -> None:
    account.filters = filters
    since = clock()
    deals = close_a_minute_apart(account, clock, 700)
    found: list[int] = []
    watermark = since
    async for page in amocrm.changed_leads(since, filtered=filters):
        found += [lead.id for lead in page.leads]
        watermark = page.newest or watermark
        clock.forward(seconds=1)
        for deal in random.Random(len(found)).sample(deals, 40):  # noqa: S311
            account.edit_lead(deal, price=account.leads[deal].price + 1)
    found += lead_ids(await walked(amocrm.changed_leads(watermark - OVERLAP, filtered=filters)))
    assert set(found) == set(deals)


async def test_a_thousand_deals_changed_in_one_second_come_each_once(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    since = clock()
    deals = [account.add_lead() for _ in range(1000)]
    clock.forward(hours=1)
    late = account.add_lead()
    pages = await walked(amocrm.changed_leads(since - OVERLAP, filtered=True))
    assert lead_ids(pages) == [*deals, late]
    assert len(account.requests) <= 12


async def test_a_crowd_that_thins_out_while_we_walk_loses_nobody(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    """Each deal that leaves the crowd moves the others up, over the edge of a page that was read already."""
    since = clock()
    deals = [account.add_lead() for _ in range(1000)]
    clock.forward(hours=1)
    found: list[int] = []
    async for page in amocrm.changed_leads(since, filtered=True):
        found += [lead.id for lead in page.leads]
        if len(found) == 250:
            clock.forward(hours=1)
            for deal in deals[:100]:
                account.edit_lead(deal, price=1)
    assert set(found) == set(deals)


# Without filters


async def test_without_filters_the_same_deals_come_each_once(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    account.filters = False
    for _ in range(300):
        account.add_lead("давно")
    clock.forward(days=1)
    since = clock()
    deals = close_a_minute_apart(account, clock, 1000)
    account.leads[deals[0]].updated_at = int(since.timestamp()) - 10  # changed too early
    pages = await walked(amocrm.changed_leads(since, filtered=False))
    assert sorted(lead_ids(pages)) == deals[1:]
    assert len(account.requests) == 5
    assert not any(page.is_filtered for page in pages)
    assert [page.newest for page in pages] == [None] * 4 + [clock()]
    account.requests.clear()
    again = await walked(amocrm.changed_leads(clock() - OVERLAP, filtered=False))
    assert lead_ids(again) == deals[:-7:-1]
    assert len(account.requests) == 2  # the first page is not older as a whole


async def test_an_ignored_filter_is_noticed_before_any_deal_is_taken(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The flag says yes, the rows say no: then nothing of the whole account may slip through."""
    account.filters = False
    account.add_lead("давно")
    clock.forward(days=1)
    deals = close_a_minute_apart(account, clock, 3)
    pages = await walked(amocrm.changed_leads(clock() - timedelta(minutes=2), filtered=True))
    assert lead_ids(pages) == deals[::-1]
    assert not any(page.is_filtered for page in pages)
    assert "ignores filters" in caplog.text


async def test_an_ignored_filter_is_told_once_and_tried_again_after_a_day(
    account: AmoCrmStandIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    account.filters = False
    account.add_lead("давно", [account.add_contact("Клиент")])
    clock.forward(days=1)
    time = Impatient()
    amocrm = client_of(account, time.pace())
    for _ in range(3):
        await walked(amocrm.changed_leads(clock() - timedelta(minutes=2), filtered=True))
        await amocrm.contacts(account.contacts, filtered=True)
    lists = [request.query for request in account.requests if request.path.endswith("/leads")]
    assert [query.startswith("filter") for query in lists] == [True, False, False, False]
    assert caplog.text.count("ignores filters") == 1

    account.filters = True
    account.requests.clear()
    time.time += timedelta(days=1).total_seconds()
    found = await walked(amocrm.changed_leads(clock() - timedelta(minutes=2), filtered=True))
    assert [page.is_filtered for page in found] == [True]
    assert len(account.requests) == 1
    await amocrm.close()


async def test_filters_switched_off_in_the_middle_repeat_nothing(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    account.add_lead("давно")
    clock.forward(days=1)
    since = clock()
    deals = close_a_minute_apart(account, clock, 600)
    found: list[int] = []
    async for page in amocrm.changed_leads(since, filtered=True):
        found += [lead.id for lead in page.leads]
        account.filters = False
    assert sorted(found) == deals


async def test_a_list_in_no_order_is_refused(amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock) -> None:
    account.keeps_order = account.filters = False
    close_a_minute_apart(account, clock, 3)
    with pytest.raises(Unsorted) as error:
        await walked(amocrm.changed_leads(clock() - OVERLAP, filtered=False))
    assert error.value.remedy


# Ugly pages


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize(
    ("ugly", "where"),
    [
        ({"updated_at": "вчера"}, "updated_at"),
        ({"updated_at": None, "created_at": None}, "created_at"),
        ({"price": "дорого"}, "price"),
        ({"name": ["Ворота"]}, "name"),
        ({"pipeline_id": 2**70}, "pipeline_id"),
        ({"closed_at": -(10**30)}, "closed_at"),
        ({"id": "deal"}, "id"),
    ],
)
async def test_one_bad_deal_is_set_aside_and_its_page_goes_on(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock, filters: bool, ugly: dict[str, Any], where: str
) -> None:
    account.filters = filters
    since = clock()
    deals = close_a_minute_apart(account, clock, 250)
    account.leads[deals[100]].raw = ugly
    pages = await walked(amocrm.changed_leads(since, filtered=filters))
    assert set(lead_ids(pages)) == set(deals) - {deals[100]}
    (broken,) = [row for page in pages for row in page.broken]
    assert where in broken.error
    assert ugly.items() <= json.loads(broken.raw).items()  # kept as it came
    assert broken.id == (None if where == "id" else deals[100])


async def test_null_fields_and_missing_contacts_stop_nothing(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    deal = account.add_lead()
    account.leads[deal].raw = {"custom_fields_values": None, "_embedded": None, "responsible_user_id": None}
    (page,) = await walked(amocrm.changed_leads(clock(), filtered=True))
    assert (page.leads[0].contact_ids, page.leads[0].fields, page.broken) == ((), {}, ())


async def test_two_contacts_the_main_one_comes_first(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    deal = account.add_lead()
    rows = [{"id": 301, "is_main": False}, {"id": 302, "is_main": True}, {"id": 303}]
    account.leads[deal].raw = {"_embedded": {"contacts": rows}}
    (page,) = await walked(amocrm.changed_leads(clock(), filtered=True))
    assert page.leads[0].contact_ids == (302, 301, 303)


@pytest.mark.parametrize(
    "how", [{"status": 200}, {"status": 502}, {"drop": True}, {"status": 200, "json": {}}]
)
async def test_a_failed_read_in_the_middle_stops_the_walk_with_the_watermark_behind(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock, how: dict[str, Any]
) -> None:
    since = clock()
    deals = close_a_minute_apart(account, clock, 600)
    account.faults.add("/leads$", nth=2, times=0, **how)
    pages = aiter(amocrm.changed_leads(since, filtered=True))
    first = await anext(pages)
    with pytest.raises(Temporary):
        await anext(pages)
    found = lead_ids([first])
    assert found == deals[:250]
    account.faults.clear()
    watermark = first.newest or since
    found += lead_ids(await walked(amocrm.changed_leads(watermark - OVERLAP, filtered=True)))
    assert set(found) == set(deals)


async def test_a_hiccup_in_the_middle_is_not_even_noticed(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    since = clock()
    deals = close_a_minute_apart(account, clock, 600)
    account.faults.add("/leads$", nth=2, status=504)
    assert lead_ids(await walked(amocrm.changed_leads(since, filtered=True))) == deals


async def test_a_token_that_dies_in_the_middle_is_told(
    amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock
) -> None:
    since = clock()
    close_a_minute_apart(account, clock, 600)
    pages = aiter(amocrm.changed_leads(since, filtered=True))
    await anext(pages)
    account.token = "another"
    with pytest.raises(Permanent, match="token"):
        await anext(pages)


async def test_a_first_start_asks_one_question(amocrm: AmoCrm, account: AmoCrmStandIn, clock: Clock) -> None:
    assert await amocrm.newest_change() is None
    close_a_minute_apart(account, clock, 300)
    account.requests.clear()
    assert await amocrm.newest_change() == clock()
    assert len(account.requests) == 1


# Laws


class Shelf:
    """Deals in the order of their change, some of which change between two answers."""

    def __init__(self, times: Sequence[int], changes: Sequence[Sequence[int]], exclusive: bool) -> None:
        self.times = dict(enumerate(times, start=1))
        self.changes = list(changes)
        self.exclusive = exclusive  # is the bound of the filter itself left out
        self.now = max(times, default=0) + 10

    async def fetch(self, query: str, page: int) -> walk.Rows:
        found = sorted(self.times.items(), key=lambda deal: (deal[1], deal[0]))
        if "asc" in query:
            start = int(query.partition("from]=")[2].partition("&")[0]) + self.exclusive
            found = [deal for deal in found if deal[1] >= start]
        else:
            found.reverse()
        rows = [{"id": deal, "updated_at": time} for deal, time in found]
        size = walk.PAGE_SIZE
        answer = walk.Rows(rows[(page - 1) * size : page * size], None)
        self.now += 1
        for deal in self.changes.pop(0) if self.changes else ():
            if deal in self.times:
                self.times[deal] = self.now
        return answer


@settings(max_examples=100, deadline=None)
@given(
    gaps=st.lists(st.sampled_from([0, 0, 0, 1, 2, 60]), max_size=40),
    changes=st.lists(st.lists(st.integers(1, 40), max_size=4), max_size=12),
    filtered=st.booleans(),
    exclusive=st.booleans(),
)
async def test_whatever_changes_meanwhile_every_deal_comes_in_its_last_state(
    gaps: list[int], changes: list[list[int]], filtered: bool, exclusive: bool
) -> None:
    """Walk after walk until nothing changes any more, as the pull does; pages of four make many edges."""
    times = [1_770_000_000 + sum(gaps[: place + 1]) for place in range(len(gaps))]
    shelf = Shelf(times, changes, exclusive)
    walk_of_four = pytest.MonkeyPatch()
    walk_of_four.setattr(walk, "PAGE_SIZE", 4)
    found: dict[int, datetime] = {}
    watermark = datetime.fromtimestamp(1_770_000_000 - 5, UTC)
    try:
        for _ in range(len(changes) + 2):
            handed: set[tuple[int, datetime]] = set()
            async for page in walk.changed(shelf.fetch, watermark - timedelta(seconds=5), filtered=filtered):
                for lead in page.leads:
                    assert (lead.id, lead.updated_at) not in handed
                    handed.add((lead.id, lead.updated_at))
                    found[lead.id] = max(lead.updated_at, found.get(lead.id, lead.updated_at))
                watermark = max(watermark, page.newest or watermark)
    finally:
        walk_of_four.undo()
    assert found == {deal: datetime.fromtimestamp(time, UTC) for deal, time in shelf.times.items()}
