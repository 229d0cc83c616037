"""Every code of Meta's has its reaction, whether it refuses a request or tells in a status why it failed."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from integrations.channels.base import Outgoing, Status, Template
from integrations.channels.cloud import Cloud
from integrations.channels.cloud_errors import MEANINGS, Reaction, failure_of, meaning_of
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain, Unreachable
from integrations.http import LeftAlone
from integrations.pace import Pace
from integrations.standins.cloud import CloudStandIn
from tests.integrations.clock import Clock
from tests.integrations.cloud_world import cloud, one

MARIA, CHAT = "+79140000001", "79140000001"
OTHER_CHAT = "79140000002"
ASK = Outgoing(text="…", topic="nps", reference="survey-1")


@pytest.fixture
def server() -> CloudStandIn:
    stand_in = CloudStandIn(Clock())
    stand_in.approve("nps_ru", "Оцените нас от 1 до 10.")
    return stand_in


@pytest.fixture
async def whatsapp(server: CloudStandIn) -> AsyncIterator[Cloud]:
    channel = cloud(server, templates={"nps": Template(template="nps_ru")})
    yield channel
    await channel.close()


async def refused(whatsapp: Cloud, server: CloudStandIn, code: int, *, subcode: int = 0) -> OutsideError:
    server.refuse(code, subcode=subcode)
    with pytest.raises(OutsideError) as error:
        await whatsapp.send(CHAT, ASK)
    assert server.posted == []
    assert f"error {code}" in str(error.value)
    assert CHAT not in f"{error.value}{error.value.remedy}"
    return error.value


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        # A person has to look before anything goes out: token, right, billing, the number itself.
        ((0, 3, 10, 190, 200, 299, 131005, 131037, 131042, 131045, 133010), AccessDenied),
        # The number is held back, whomever it writes to.
        ((368, 131031, 131048, 131064), Temporary),
        ((4, 80007, 130429), Temporary),
        ((131056,), Temporary),
        ((2, 131000, 131016, 131057), Temporary),
        ((131026, 131050), Unreachable),
        # Not this time, or not this template, or not this request: the next channel.
        ((131049, 130472, 130497), Permanent),
        ((132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 131063), Permanent),
        ((100, 131008, 131009, 131021, 131030, 131051, 131052, 131053, 131062, 135000), Permanent),
    ],
)
async def test_every_code_has_its_reaction(
    server: CloudStandIn, codes: tuple[int, ...], kind: type[OutsideError]
) -> None:
    for code in codes:
        whatsapp = cloud(server, templates={"nps": Template(template="nps_ru")})
        error = await refused(whatsapp, server, code)
        assert type(error) is kind or (kind is Temporary and isinstance(error, Temporary)), code
        await whatsapp.close()


@pytest.mark.parametrize("code", sorted(MEANINGS))
async def test_whatever_a_person_has_to_do_is_said(server: CloudStandIn, code: int) -> None:
    meaning = MEANINGS[code]
    needs_a_person = meaning.reaction in (Reaction.DENIED, Reaction.HELD_BACK)
    assert bool(meaning.remedy) or not needs_a_person
    whatsapp = cloud(server, templates={"nps": Template(template="nps_ru")})
    assert (await refused(whatsapp, server, code)).remedy == meaning.remedy
    await whatsapp.close()


@pytest.mark.parametrize(
    ("code", "subcode", "says"), [(190, 463, "expired"), (100, 33, "the number's id"), (190, 460, "token")]
)
async def test_a_subcode_says_more(
    whatsapp: Cloud, server: CloudStandIn, code: int, subcode: int, says: str
) -> None:
    error = await refused(whatsapp, server, code, subcode=subcode)
    assert isinstance(error, AccessDenied)
    assert says in error.detail
    assert error.remedy


async def test_the_template_that_is_stopped_is_named_and_others_go_on(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.set_template("nps_ru", "PAUSED")
    with pytest.raises(Permanent, match=r"paused.*template nps_ru"):
        await whatsapp.send(CHAT, ASK)
    server.set_template("nps_ru", "DISABLED")
    with pytest.raises(Permanent, match=r"disabled.*template nps_ru") as disabled:
        await whatsapp.send(CHAT, ASK)
    assert "new template" in disabled.value.remedy
    server.set_template("nps_ru", "APPROVED")
    assert await whatsapp.send(CHAT, ASK)


# Who waits, and for how long


@pytest.mark.parametrize("code", [4, 80007, 130429])
async def test_too_many_messages_pause_everybody_for_longer_each_time(
    server: CloudStandIn, code: int
) -> None:
    minutes = 0.0
    pace = Pace(None, now=lambda: minutes * 60)
    whatsapp = cloud(server, templates={"nps": Template(template="nps_ru")}, pace=pace)

    async def refused_for() -> timedelta | None:
        nonlocal minutes
        error = await refused(whatsapp, server, code)
        assert isinstance(error, Temporary)
        with pytest.raises(LeftAlone):  # not even asked
            await whatsapp.send(OTHER_CHAT, ASK)
        minutes += 61
        return error.retry_after

    waits = [await refused_for() for _ in range(8)]
    assert waits == [timedelta(minutes=wait) for wait in (1, 2, 4, 8, 16, 32, 60, 60)]
    assert await whatsapp.send(CHAT, ASK)
    server.posted.clear()
    assert await refused_for() == timedelta(minutes=1)
    await whatsapp.close()


async def test_too_many_messages_to_one_person_hold_back_nobody_else(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    error = await refused(whatsapp, server, 131056)
    assert isinstance(error, Temporary)
    assert error.retry_after == timedelta(seconds=6)
    assert await whatsapp.send(OTHER_CHAT, ASK)


@pytest.mark.parametrize("code", [368, 131031, 131048])
async def test_a_number_that_is_held_back_knocks_no_more_but_can_be_asked_of(
    server: CloudStandIn, whatsapp: Cloud, code: int
) -> None:
    error = await refused(whatsapp, server, code)
    assert isinstance(error, Temporary)
    assert error.retry_after == timedelta(hours=1)
    server.requests.clear()
    with pytest.raises(LeftAlone):
        await whatsapp.send(OTHER_CHAT, ASK)
    assert server.requests == []
    await whatsapp.start()


async def test_trouble_of_metas_is_over_with_it(server: CloudStandIn, whatsapp: Cloud) -> None:
    error = await refused(whatsapp, server, 131000)
    assert isinstance(error, Temporary)
    assert error.status == 500  # with their word that nothing was sent
    assert await whatsapp.send(CHAT, ASK)


# Codes that nobody has heard of


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Permanent), (404, Permanent), (401, AccessDenied), (403, AccessDenied)]
)
async def test_an_unknown_code_is_read_by_its_status(
    server: CloudStandIn, whatsapp: Cloud, status: int, kind: type[OutsideError]
) -> None:
    server.refuse(999999, status=status)
    with pytest.raises(kind) as error:
        await whatsapp.send(CHAT, ASK)
    assert type(error.value) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"code": 1, "is_transient": True}}, Temporary),
        ({"error": {"code": "131026"}}, Unreachable),  # as a text
        ({"error": {"code": None}}, Permanent),
        ({"error": {"code": {}}}, Permanent),
        ({"error": "131026"}, Permanent),
        ({}, Permanent),
    ],
)
async def test_refusals_of_other_forms(
    server: CloudStandIn, whatsapp: Cloud, body: object, kind: type[OutsideError]
) -> None:
    server.faults.add("messages", status=400, json=body)
    with pytest.raises(kind) as error:
        await whatsapp.send(CHAT, ASK)
    assert type(error.value) is kind


async def test_an_unknown_code_on_a_failure_of_the_server_may_have_been_sent(
    server: CloudStandIn, whatsapp: Cloud
) -> None:
    server.faults.add("messages", status=500, json={"error": {"code": 1, "is_transient": True}})
    with pytest.raises(Uncertain):
        await whatsapp.send(CHAT, ASK)


async def test_metas_own_words_are_never_repeated(server: CloudStandIn, whatsapp: Cloud) -> None:
    words = f"Unable to deliver to {CHAT}, token {server.token}"
    error = {"code": 131009, "message": words, "error_data": {"details": words}}
    server.faults.add("messages", status=400, json={"error": error})
    with pytest.raises(Permanent) as refusal:
        await whatsapp.send(CHAT, ASK)
    assert CHAT not in f"{refusal.value}{refusal.value.remedy}"
    assert server.token not in str(refusal.value)


# In a status


@pytest.mark.parametrize(
    ("code", "is_gone"),
    [
        (131026, True),
        (131050, True),
        (131047, False),
        (131049, False),
        (130472, False),
        (131048, False),
        (132015, False),
        (131000, False),
        (999999, False),
    ],
)
async def test_a_failed_status_begins_with_its_code_and_tells_who_is_gone(
    server: CloudStandIn, whatsapp: Cloud, code: int, is_gone: bool
) -> None:
    server.keep_statuses()
    wamid = await whatsapp.send(CHAT, ASK)
    server.tells_status(wamid, "failed", code=code)
    failed = one(server, whatsapp)
    assert (failed.status, failed.reference, failed.is_gone) == (Status.FAILED, "survey-1", is_gone)
    assert failed.reason.split()[0] == str(code)


def test_of_several_codes_the_first_that_is_known_counts() -> None:
    assert failure_of([999999, 131047]).reason.startswith("131047 ")
    assert failure_of([999999]).reason == "999999 unknown code"
    assert failure_of([]).reason == "no code"


@pytest.mark.parametrize("code", [-1, 1, 199, 300, 130000])
def test_a_code_between_those_that_are_known_is_not(code: int) -> None:
    assert meaning_of(code) is None
