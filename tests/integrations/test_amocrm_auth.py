"""OAuth: the pair is never lost, whatever happens between two steps."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from integrations.amocrm.answers import Blocked
from integrations.amocrm.auth import CodeRefused, Login, LoginState
from integrations.amocrm.changes import LeadChange
from integrations.amocrm.client import AmoCrm
from integrations.errors import AccessDenied, OutsideError, Temporary, Uncertain
from integrations.pace import Pace
from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_oauth import PATH
from tests.integrations.amocrm_setup import BASE, Impatient

START = datetime(2026, 3, 16, 10, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


class Memory:
    """A token store that survives its processes. `dies_at` counts swaps: before (n) or after (n + 0.5)."""

    def __init__(self) -> None:
        self.value: Mapping[str, Any] | None = None
        self.version = 0
        self.swaps = 0
        self.dies_at = 0.0
        self.before_swap: Callable[[], None] = lambda: None

    async def load(self) -> tuple[Mapping[str, Any] | None, int]:
        await asyncio.sleep(0)
        return copy.deepcopy(self.value), self.version

    async def swap(self, value: Mapping[str, Any], version: int) -> bool:
        await asyncio.sleep(0)
        self.swaps += 1
        if self.dies_at == self.swaps:
            raise Killed
        self.before_swap()
        if version != self.version:
            return False
        self.value, self.version = copy.deepcopy(value), version + 1
        if self.dies_at == self.swaps + 0.5:
            raise Killed
        return True


class Office:
    """The account, the store, and as many workers as are started."""

    def __init__(self) -> None:
        self.now = START
        self.server = AmoCrmStandIn(lambda: self.now, rate_limit=None)
        self.integration = self.server.integration
        self.store = Memory()
        self.secret = self.integration.client_secret
        self.lose: Callable[[httpx.Request], None] = lambda request: None  # before it arrives
        self.lose_answer: Callable[[httpx.Request], None] = lambda request: None
        self._stack = AsyncExitStack()

    def worker(self, *, may_renew: bool = True) -> AmoCrm:
        time = Impatient()
        login = Login(
            client_id=self.integration.client_id,
            client_secret=self.secret,
            redirect_uri=self.integration.redirect_uri,
            store=self.store,
            now=lambda: self.now,
            may_renew=may_renew,
        )
        pace = Pace(None, now=time.now, sleep=time.sleep)
        amocrm = AmoCrm(BASE, login, transport=_Wire(self), pace=pace)
        assert amocrm.oauth is not None
        amocrm.oauth._sleep = self.sleep
        self._stack.push_async_callback(amocrm.close)
        return amocrm

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += timedelta(seconds=seconds)

    async def authorized(self) -> AmoCrm:
        amocrm = self.worker()
        assert amocrm.oauth is not None
        await amocrm.oauth.authorize(self.integration.issue_code())
        return amocrm

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    @property
    def posts(self) -> int:
        return sum(request.path == PATH for request in self.server.requests)

    @property
    def pair(self) -> Mapping[str, Any]:
        assert self.store.value is not None
        pair: Mapping[str, Any] = self.store.value["pair"]
        return pair

    async def close(self) -> None:
        await self._stack.aclose()


class _Wire(httpx.AsyncBaseTransport):
    """The network between: it may lose a request or its answer."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.inner = httpx.ASGITransport(app=office.server.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.office.lose(request)
        response = await self.inner.handle_async_request(request)
        self.office.lose_answer(request)
        return response


def at_token(error: BaseException, *, times: int = 1) -> Callable[[httpx.Request], None]:
    """Raise at the token endpoint, so many times."""
    left = times

    def raise_there(request: httpx.Request) -> None:
        nonlocal left
        if request.url.path == PATH and left:
            left -= 1
            raise error

    return raise_there


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    yield office
    await office.close()


def state(amocrm: AmoCrm) -> LoginState | None:
    return amocrm.condition.login


# The code


async def test_a_code_brings_the_pair_and_the_pair_opens_the_account(office: Office) -> None:
    amocrm = await office.authorized()
    assert await amocrm.users()
    assert office.server.requests[-1].headers["authorization"] == f"Bearer {office.pair['access_token']}"
    assert state(amocrm) is LoginState.GOOD


async def test_without_a_pair_nothing_is_even_asked(office: Office) -> None:
    amocrm = office.worker()
    with pytest.raises(AccessDenied) as error:
        await amocrm.users()
    assert "sarafan auth CODE" in error.value.remedy
    assert office.server.requests == []
    assert state(amocrm) is LoginState.MISSING


async def test_a_pair_that_is_brought_later_is_found_without_a_restart(office: Office) -> None:
    amocrm = office.worker()
    with pytest.raises(AccessDenied):
        await amocrm.users()
    await office.authorized()
    assert await amocrm.users()


async def test_a_code_works_once_and_for_twenty_minutes(office: Office) -> None:
    code = office.integration.issue_code()
    oauth = office.worker().oauth
    assert oauth is not None
    await oauth.authorize(code)
    with pytest.raises(CodeRefused) as error:
        await oauth.authorize(code)
    assert not error.value.is_client
    late = office.integration.issue_code()
    office.later(minutes=21)
    with pytest.raises(CodeRefused):
        await oauth.authorize(late)
    assert code not in str(error.value)


async def test_wrong_keys_of_the_integration_are_told_from_a_wrong_code(office: Office) -> None:
    office.secret = "another"
    oauth = office.worker().oauth
    assert oauth is not None
    with pytest.raises(CodeRefused) as error:
        await oauth.authorize(office.integration.issue_code())
    assert error.value.is_client
    assert "client_secret" in error.value.remedy


async def test_a_code_is_not_used_up_when_the_pair_could_not_be_kept(office: Office) -> None:
    code = office.integration.issue_code()
    office.store.dies_at = 1
    oauth = office.worker().oauth
    assert oauth is not None
    with pytest.raises(Killed):
        await oauth.authorize(code)
    assert office.posts == 0
    await oauth.authorize(code)


# Renewing in time


async def test_it_is_renewed_at_half_life_and_saved_before_it_is_used(office: Office) -> None:
    amocrm = await office.authorized()
    first = office.pair["access_token"]
    office.later(hours=11, minutes=59)
    await amocrm.users()
    assert office.posts == 1
    office.later(minutes=1)
    await amocrm.users()
    assert office.posts == 2
    assert office.pair["access_token"] != first
    assert office.server.requests[-1].headers["authorization"] == f"Bearer {office.pair['access_token']}"
    assert [old["access_token"] for old in (office.store.value or {})["previous"]] == [first]


async def test_the_previous_pair_is_kept_for_a_day(office: Office) -> None:
    amocrm = await office.authorized()
    for _ in range(10):
        office.later(hours=12)
        await amocrm.users()
    kept = (office.store.value or {})["previous"]
    assert 1 <= len(kept) <= 3


async def test_twenty_at_once_past_half_life_make_one_post(office: Office) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    await asyncio.gather(*(amocrm.users() for _ in range(20)))
    assert office.posts == 2


async def test_twenty_refused_at_once_make_one_post(office: Office) -> None:
    amocrm = await office.authorized()
    await amocrm.users()
    office.integration._access.clear()
    await asyncio.gather(*(amocrm.users() for _ in range(20)))
    assert office.posts == 2
    assert state(amocrm) is LoginState.GOOD


async def test_twenty_refused_in_two_workers_make_one_post(office: Office) -> None:
    workers = [await office.authorized(), office.worker()]
    for amocrm in workers:
        await amocrm.users()
    office.integration._access.clear()
    await asyncio.gather(*(workers[number % 2].users() for number in range(20)))
    assert office.posts == 2


async def test_a_refused_write_is_repeated_once_with_the_new_token(office: Office) -> None:
    amocrm = await office.authorized()
    lead = office.server.add_lead(price=1)
    office.integration._access.clear()
    await amocrm.update_leads([LeadChange(lead_id=lead, tags_to_add=("x",))])
    assert [request.status for request in office.server.requests if request.method == "PATCH"] == [401, 200]


async def test_a_token_that_is_refused_again_is_not_renewed_again(office: Office) -> None:
    amocrm = await office.authorized()
    office.server.faults.add("/users", status=401, json={"status": 401}, times=0)
    with pytest.raises(AccessDenied):
        await amocrm.users()
    assert office.posts == 2
    assert sum(request.path.endswith("/users") for request in office.server.requests) == 2


async def test_a_missing_right_is_no_reason_to_renew(office: Office) -> None:
    amocrm = await office.authorized()
    office.server.is_admin = False
    with pytest.raises(AccessDenied):
        await amocrm.users()
    assert office.posts == 1


async def test_a_block_is_no_reason_to_renew_and_stops_the_token_endpoint_too(office: Office) -> None:
    amocrm = await office.authorized()
    office.server.is_blocked = True
    office.later(hours=13)
    with pytest.raises(Temporary):
        await amocrm.users()
    assert office.posts == 2
    with pytest.raises(Temporary):
        await amocrm.users()
    assert office.posts == 2
    assert state(amocrm) is LoginState.GOOD
    assert amocrm.is_circuit_open


async def test_what_another_worker_renewed_is_adopted(office: Office) -> None:
    first, second = await office.authorized(), office.worker()
    await first.users()
    await second.users()
    office.later(hours=12)
    await first.users()
    office.integration.keeps_old_access = False
    await second.users()
    assert office.posts == 2


async def test_upon_a_copy_of_the_storage_nothing_is_renewed(office: Office) -> None:
    await office.authorized()
    amocrm = office.worker(may_renew=False)
    office.later(hours=23)
    assert await amocrm.users()
    office.later(hours=2)
    with pytest.raises(AccessDenied):
        await amocrm.users()
    assert office.posts == 1


# When the answer is lost


async def test_a_connection_that_was_never_made_is_tried_once_more_at_once(office: Office) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    office.lose = at_token(httpx.ConnectError("refused"))
    await amocrm.users()
    assert office.posts == 2
    assert state(amocrm) is LoginState.GOOD


async def test_and_then_after_a_while(office: Office) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    office.lose = at_token(httpx.ConnectError("refused"), times=2)
    await amocrm.users()
    await amocrm.users()
    assert (office.posts, state(amocrm)) == (1, LoginState.GOOD)
    office.later(minutes=1)
    await amocrm.users()
    assert office.posts == 2


async def test_a_lost_answer_keeps_the_access_token_and_is_tried_once_more(office: Office) -> None:
    """It never arrived: the second try brings the pair."""
    amocrm = await office.authorized()
    office.later(hours=13)
    office.lose = at_token(httpx.ReadTimeout("slow"))
    assert await amocrm.users()
    assert state(amocrm) is LoginState.UNSURE
    office.later(minutes=4)
    assert await amocrm.users()
    assert office.posts == 1
    office.later(minutes=1)
    assert await amocrm.users()
    assert office.posts == 2
    assert state(amocrm) is LoginState.GOOD


async def test_a_pair_that_was_lost_on_its_way_ends_in_one_refusal(office: Office) -> None:
    """It arrived and was done: the second try is refused, and everything stops."""
    amocrm = await office.authorized()
    office.later(hours=13)
    office.lose_answer = at_token(httpx.ReadTimeout("slow"))
    assert await amocrm.users()
    assert state(amocrm) is LoginState.UNSURE
    office.later(minutes=6)
    asked = len(office.server.requests)
    for _ in range(5):
        with pytest.raises(AccessDenied) as error:
            await amocrm.users()
        assert "sarafan auth CODE" in error.value.remedy
    assert state(amocrm) is LoginState.DEAD
    assert len(office.server.requests) == asked + 1  # the second POST, and then nothing
    await office.authorized()
    assert await amocrm.users()
    assert state(amocrm) is LoginState.GOOD


async def test_after_two_lost_answers_a_third_only_when_nothing_is_left_to_lose(office: Office) -> None:
    amocrm = await office.authorized()
    office.later(hours=12)
    office.lose = at_token(httpx.ReadTimeout("slow"), times=2)
    for _ in range(11):
        assert await amocrm.users()
        office.later(hours=1)
    assert office.posts == 1
    office.later(hours=1)
    assert await amocrm.users()
    assert office.posts == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": "<html>hello</html>"},
        {"status": 200, "json": {"access_token": "x"}},
        {"status": 502},
        {"status": 504, "after": True},
        {"drop": True, "after": True},
    ],
)
async def test_an_answer_that_tells_nothing_is_a_lost_one(office: Office, fault: dict[str, Any]) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    office.server.faults.add(PATH, **fault)
    assert await amocrm.users()
    assert state(amocrm) is LoginState.UNSURE


@pytest.mark.parametrize("status", [402, 403, 404, 429])
async def test_a_refusal_that_says_nothing_of_the_pair_leaves_it_alone(office: Office, status: int) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    office.server.faults.add(PATH, status=status, json={"status": status})
    assert await amocrm.users()
    assert state(amocrm) is LoginState.GOOD
    office.later(minutes=2)
    assert await amocrm.users()
    assert office.posts == 3


async def test_wrong_keys_stop_the_refresh_until_a_restart(office: Office) -> None:
    await office.authorized()
    right, office.secret = office.secret, "another"
    amocrm = office.worker()
    office.later(hours=13)
    for _ in range(3):
        assert await amocrm.users()  # The access token is good for some hours yet.
    assert office.posts == 2
    assert state(amocrm) is LoginState.KEYS
    office.later(hours=12)
    with pytest.raises(AccessDenied):
        await amocrm.users()
    office.secret = right
    assert await office.worker().users()


async def test_refused_but_another_worker_has_a_newer_pair(office: Office) -> None:
    """Somebody authorizes at the very moment at which the old pair is refused."""
    amocrm = await office.authorized()
    await amocrm.users()
    old = copy.deepcopy(office.store.value)
    await office.authorized()
    newer, version = office.store.value, office.store.version
    office.integration._refresh.pop(old["pair"]["refresh_token"])  # type: ignore[index]
    office.store.value, office.store.version = old, version
    office.later(hours=13)

    def appears(request: httpx.Request) -> None:
        if request.url.path == PATH:
            office.store.value, office.store.version = newer, version + 5

    office.lose_answer = appears
    assert await amocrm.users()
    assert state(amocrm) is LoginState.GOOD


async def test_a_pair_that_cannot_be_saved_is_not_used_and_not_lost(office: Office) -> None:
    """The disk is full for a while."""
    amocrm = await office.authorized()
    first = office.pair["access_token"]
    office.later(hours=13)
    office.store.before_swap = _full_at(2)
    with pytest.raises(OSError, match="full"):
        await amocrm.users()
    assert office.pair["access_token"] == first
    assert await amocrm.users()
    assert office.posts == 2
    assert office.pair["access_token"] == office.integration.granted[-1]


def _full_at(number: int) -> Callable[[], None]:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError("the disk is full")

    return check


async def test_a_new_consent_in_the_middle_of_a_refresh_is_not_overwritten(office: Office) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    other = office.worker()
    code = office.integration.issue_code()

    class Midway(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await _Wire(office).handle_async_request(request)
            if request.url.path == PATH and b"refresh_token" in request.content:
                assert other.oauth is not None
                await other.oauth.authorize(code)
            return response

    assert amocrm.oauth is not None
    amocrm.oauth._http._client._transport = Midway()
    assert await amocrm.users()
    assert office.pair["access_token"] == office.integration.granted[-1]
    assert office.server.requests[-1].headers["authorization"] == f"Bearer {office.pair['access_token']}"


# Killed between two steps


@asynccontextmanager
async def killed() -> AsyncIterator[None]:
    with pytest.raises(Killed):
        yield


@pytest.mark.parametrize(
    ("where", "is_whole"),
    [
        ("before the intent is on disk", True),
        ("before the request", True),
        ("when it is processed", False),
        ("before the pair is on disk", False),
        ("when the pair is on disk", True),
    ],
)
async def test_killed_in_a_refresh_the_pair_is_whole_or_a_person_is_told(
    office: Office, where: str, is_whole: bool
) -> None:
    amocrm = await office.authorized()
    await amocrm.users()
    office.later(hours=13)
    match where:
        case "before the intent is on disk":
            office.store.dies_at = office.store.swaps + 1
        case "before the request":
            office.lose = at_token(Killed())
        case "when it is processed":
            office.lose_answer = at_token(Killed())
        case "before the pair is on disk":
            office.store.dies_at = office.store.swaps + 2
        case _:
            office.store.dies_at = office.store.swaps + 2.5
    async with killed():
        await amocrm.users()
    office.later(seconds=3)

    restarted, was_told = office.worker(), False
    for _ in range(20):
        with suppress(AccessDenied):
            await restarted.users()
        was_told |= state(restarted) in (LoginState.UNSURE, LoginState.DEAD)
        office.later(seconds=30)
    assert office.posts - 1 <= 2
    if is_whole:
        assert state(restarted) is LoginState.GOOD
        assert await restarted.users()
    else:
        assert was_told
        assert state(restarted) is LoginState.DEAD
    assert was_told == (where not in ("before the intent is on disk", "when the pair is on disk"))


async def test_a_dead_process_is_noticed_within_a_minute(office: Office) -> None:
    amocrm = await office.authorized()
    office.later(hours=13)
    office.lose_answer = at_token(Killed())
    async with killed():
        await amocrm.users()
    restarted = office.worker()
    office.later(seconds=31)
    assert await restarted.users()
    assert state(restarted) is LoginState.UNSURE


# What is said


async def test_no_error_and_no_repr_shows_a_secret(office: Office) -> None:
    amocrm = await office.authorized()
    pair = dict(office.pair)
    office.integration.revoke()
    with pytest.raises(OutsideError) as error:
        await amocrm.users()
    assert amocrm.oauth is not None
    told = f"{error.value!r} {error.value.__cause__!r} {amocrm.oauth._kept!r} {amocrm.oauth._login!r}"
    for secret in (pair["access_token"], pair["refresh_token"], office.secret):
        assert secret not in told


async def test_what_could_not_be_done_says_so(office: Office) -> None:
    oauth = office.worker().oauth
    assert oauth is not None
    office.lose_answer = at_token(httpx.ReadTimeout("slow"))
    with pytest.raises(Uncertain):
        await oauth.authorize(office.integration.issue_code())
    office.server.is_blocked = True
    with pytest.raises(Blocked):
        await oauth.authorize(office.integration.issue_code())
