"""Whatever happens in whatever order, sudden ends included: nothing is forgotten, nobody asked twice."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlmodel import select

from storage import outbox, sending, surveys
from storage.database import Database
from storage.tables.queues import Outbox, OutboxState
from storage.tables.surveys import Survey, SurveyState

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
KEYS = st.sampled_from(["note:1", "note:2", "complaint:1", "write_back:7"])
DEALS = (501, 502, 503)
T = TypeVar("T")

template: Path  # an up-to-date file without rows


@pytest.fixture(scope="module", autouse=True)
def _template(sqlite_template: Path) -> None:
    global template
    template = sqlite_template


class Worker(RuleBasedStateMachine):
    """A process with its database, which may end between any two of its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "sarafan.db"
        shutil.copy(template, self.file)
        self.start()

    def start(self) -> None:
        self.db = self.run(Database.open(f"sqlite:///{self.file}", is_private=True))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.db.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(minutes=st.integers(1, 60 * 24))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


class Acts(Worker):
    """The outbox: `owed` are the acts that have been asked for and not been done since."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: dict[str, bool] = {}
        self.held: dict[str, Outbox] = {}
        self.asked_meanwhile: set[str] = set()  # while somebody was doing it
        self.of_the_dead: list[Outbox] = []

    @rule(key=KEYS)
    def asked_for_once(self, key: str) -> None:
        async def ask() -> bool:
            async with self.db.transaction() as tx:
                return await outbox.add_once(tx, "note", key, {}, self.now, self.now)

        assert self.run(ask()) == (key not in self.owed)
        self.owed.setdefault(key, True)

    @rule(key=KEYS, wait=st.integers(0, 60))
    def asked_for_again(self, key: str, wait: int) -> None:
        async def ask() -> None:
            async with self.db.transaction() as tx:
                await outbox.ask_again(tx, "note", key, {}, self.now + timedelta(minutes=wait), self.now)

        self.run(ask())
        self.owed[key] = True
        if key in self.held:
            self.asked_meanwhile.add(key)

    @rule(limit=st.integers(1, 3))
    def claimed(self, limit: int) -> None:
        items = self.run(outbox.claim(self.db, self.now, kinds=["note"], limit=limit))
        assert len(items) <= limit
        for item in items:
            assert self.owed[item.key], "what is done is not done again"
            assert item.key not in self.held, "nobody else is doing it"
            assert item.due_at <= self.now
            self.held[item.key] = item

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        item = self._one(data)
        assert self.run(outbox.done(self.db, item, self.now))
        self._ended(item)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def given_up(self, data: st.DataObject) -> None:
        item = self._one(data)
        assert self.run(outbox.give_up(self.db, item, "refused", self.now))
        self._ended(item)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), is_uncertain=st.booleans(), counts=st.booleans())
    def put_off(self, data: st.DataObject, is_uncertain: bool, counts: bool) -> None:
        item = self._one(data)
        later = self.now + timedelta(minutes=5)
        assert self.run(outbox.postpone(self.db, item, later, "busy", uncertain=is_uncertain, counts=counts))
        self.asked_meanwhile.discard(item.key)

    @rule()
    def killed_and_started_again(self) -> None:
        self.of_the_dead += self.held.values()
        self.run(self.db.close())
        self.start()
        assert self.run(outbox.rescue(self.db, self.now)) == len(self.held)
        self.held.clear()
        self.asked_meanwhile.clear()

    @precondition(lambda self: self.of_the_dead)
    @rule(data=st.data())
    def a_dead_one_reports(self, data: st.DataObject) -> None:
        """Its claim is lost, so its word changes nothing."""
        item = data.draw(st.sampled_from(self.of_the_dead))
        assert not self.run(outbox.done(self.db, item, self.now))
        assert not self.run(outbox.postpone(self.db, item, self.now, "busy", uncertain=False))

    @invariant()
    def nothing_is_forgotten(self) -> None:
        async def rows() -> dict[str, str]:
            async with self.db.reading() as tx:
                return dict((await tx.exec(select(Outbox.key, Outbox.state))).all())

        states = self.run(rows())
        assert states.keys() == self.owed.keys()
        for key, state in states.items():
            if key in self.held:
                assert state == OutboxState.DOING
            elif self.owed[key]:
                assert state == OutboxState.WAITING
            else:
                assert state in (OutboxState.DONE, OutboxState.GIVEN_UP)

    def _one(self, data: st.DataObject) -> Outbox:
        return self.held.pop(data.draw(st.sampled_from(sorted(self.held))))

    def _ended(self, item: Outbox) -> None:
        self.owed[item.key] = item.key in self.asked_meanwhile
        self.asked_meanwhile.discard(item.key)


class Questions(Worker):
    """Surveys on their way; `arrived` are the questions that the clients of the deals have seen."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: Counter[int] = Counter()
        self.claims: dict[int, Survey] = {}  # deal → a survey that is checked by the living process
        self.sending: dict[int, Survey] = {}  # … whose request may go out
        self.of_the_dead: list[Survey] = []
        self.ended: set[int] = set()  # asked, perhaps asked, or never to be asked

    @initialize()
    def deals_close(self) -> None:
        assert self.run(self._plan()) == set(DEALS)

    @rule()
    def they_close_again(self) -> None:
        assert self.run(self._plan()) == set(), "a survey of a deal exists once and for ever"

    @rule()
    def claimed(self) -> None:
        survey = self.run(sending.claim_due(self.db, self.now))
        if survey is None:
            return
        deal = survey.deal_id
        assert deal not in self.ended
        assert deal not in self.sending
        stale = self.claims.pop(deal, None)  # the lease was over
        if stale is not None:
            self.of_the_dead.append(stale)
        self.claims[deal] = survey

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), reason=st.sampled_from(["opted_out", "reopened"]))
    def not_to_be_asked(self, data: st.DataObject, reason: str) -> None:
        survey = self._one(self.claims, data)

        async def close() -> bool:
            async with self.db.transaction() as tx:
                return await sending.close(tx, survey, reason, self.now)

        assert self.run(close())
        self.ended.add(survey.deal_id)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def put_off(self, data: st.DataObject) -> None:
        survey = self._one(self.claims, data)
        assert self.run(sending.postpone(self.db, survey, self.now + timedelta(hours=1), "window"))

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def about_to_be_sent(self, data: st.DataObject) -> None:
        survey = self._one(self.claims, data)
        assert self.run(self._begin(survey))
        self.sending[survey.deal_id] = survey

    @precondition(lambda self: self.sending)
    @rule(data=st.data(), is_answer_lost=st.booleans(), has_arrived=st.booleans())
    def sent(self, data: st.DataObject, is_answer_lost: bool, has_arrived: bool) -> None:
        survey = self._one(self.sending, data)
        self.arrived[survey.deal_id] += has_arrived or not is_answer_lost

        async def note() -> bool:
            async with self.db.transaction() as tx:
                return await sending.mark_asked(
                    tx, survey, message_id="" if is_answer_lost else f"m{survey.deal_id}", now=self.now,
                    expires_at=self.now + WEEK, uncertain=is_answer_lost,
                )  # fmt: skip

        assert self.run(note())
        self.ended.add(survey.deal_id)

    @precondition(lambda self: self.sending)
    @rule(data=st.data())
    def refused_for_certain(self, data: st.DataObject) -> None:
        survey = self._one(self.sending, data)
        assert self.run(
            sending.take_back(self.db, survey, next_at=self.now, reason="service", failed_channel="telegram")
        )

    @rule(data=st.data())
    def killed_and_started_again(self, data: st.DataObject) -> None:
        """Before the request went out, or after it arrived: nobody can tell."""
        for deal in self.sending:
            self.arrived[deal] += data.draw(st.booleans())
        self.of_the_dead += [*self.claims.values(), *self.sending.values()]
        self.run(self.db.close())
        self.start()
        asked = self.run(sending.rescue(self.db, self.now, self.now + WEEK))
        assert {survey.deal_id for survey in asked} == self.sending.keys()
        self.ended |= self.sending.keys()
        self.claims.clear()
        self.sending.clear()

    @precondition(lambda self: self.of_the_dead)
    @rule(data=st.data())
    def a_dead_one_goes_on(self, data: st.DataObject) -> None:
        """It lost its claim, so it may not send."""
        survey = data.draw(st.sampled_from(self.of_the_dead))
        assert not self.run(self._begin(survey))
        assert not self.run(sending.postpone(self.db, survey, self.now, "window"))

    @invariant()
    def nobody_is_asked_twice(self) -> None:
        assert all(count <= 1 for count in self.arrived.values())
        assert {deal for deal, count in self.arrived.items() if count} <= self.ended

    @invariant()
    def every_survey_stands_where_it_should(self) -> None:
        async def rows() -> dict[int, str]:
            async with self.db.reading() as tx:
                return dict((await tx.exec(select(Survey.deal_id, Survey.state))).all())

        states = self.run(rows())
        assert states.keys() == set(DEALS)
        for deal, state in states.items():
            if deal in self.sending:
                assert state == SurveyState.SENDING
            elif deal in self.ended:
                assert state in (SurveyState.SENT, SurveyState.UNCERTAIN, SurveyState.SKIPPED)
            else:
                assert state == SurveyState.PLANNED

    async def _plan(self) -> set[int]:
        planned = [
            Survey(
                survey_key="nps", metric="nps", trigger="deal_won", deal_id=deal, root_deal_id=deal,
                client_id=deal, triggered_at=NOON, planned_at=NOON, due_at=NOON, next_at=NOON,
            )
            for deal in DEALS
        ]  # fmt: skip
        async with self.db.transaction() as tx:
            return await surveys.plan(tx, planned)

    async def _begin(self, survey: Survey) -> bool:
        return await sending.begin_sending(
            self.db, survey, channel="whatsapp", chat_id=f"{survey.deal_id}@c.us", text_variant="",
            promo_code="", conversation=survey.id or 0, now=NOON,
        )  # fmt: skip

    def _one(self, among: dict[int, Survey], data: st.DataObject) -> Survey:
        return among.pop(data.draw(st.sampled_from(sorted(among))))


FEW = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestActs = pytest.mark.usefixtures("_template")(Acts.TestCase)
TestActs.settings = FEW
TestQuestions = pytest.mark.usefixtures("_template")(Questions.TestCase)
TestQuestions.settings = FEW
