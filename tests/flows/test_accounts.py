"""User accounts of MAX through a gateway: who linked nothing is found there by phone number."""

from datetime import timedelta

from storage.tables.surveys import SurveyState
from tests.world import IVAN, MAX_ACCOUNT, World, configured, merged

ONLY_MAX = merged(MAX_ACCOUNT, {"whatsapp": {"provider": "none"}})
WHATSAPP_FIRST = merged(MAX_ACCOUNT, {"delivery": {"channels": ["whatsapp", "max_account"]}})


def in_max(town: World) -> list[str]:
    return [message.text for message in town.max_account.messages(IVAN)]


def look_ups(town: World) -> int:
    return sum("checkAccount" in request.path for request in town.max_account.requests)


@configured(WHATSAPP_FIRST)
async def test_who_linked_nothing_and_has_no_whatsapp_is_asked_in_max_by_phone_number(town: World) -> None:
    town.whatsapp.has_no_account(IVAN)
    deal = await town.asked()
    assert len(in_max(town)) == 1
    assert town.card(deal) == "Спросили 8 сентября в 12:00, MAX"
    town.clock.advance(timedelta(minutes=1))
    town.max_account.says(IVAN, "9")
    await town.step(pulls=False)
    survey = await town.survey(deal)
    assert (survey.state, survey.channel, survey.score) == (SurveyState.ANSWERED, "max_account", 9)


@configured(MAX_ACCOUNT)
async def test_who_hides_from_search_by_number_is_asked_by_the_next_channel(town: World) -> None:
    town.max_account.has_no_account(IVAN)
    deal = await town.asked()
    assert (in_max(town), len(town.to_ivan())) == ([], 1)
    assert (await town.survey(deal)).channel == "whatsapp"


@configured(ONLY_MAX)
async def test_who_was_not_found_is_unreachable_and_not_looked_up_again(town: World) -> None:
    town.max_account.has_no_account(IVAN)
    first = await town.asked()
    assert town.card(first) == "Не спросили: нет в подключённых мессенджерах"
    second = await town.asked()
    assert (await town.survey(second)).reason == "unreachable"
    assert look_ups(town) == 1


@configured(ONLY_MAX)
async def test_a_found_chat_is_remembered_and_asked_once(town: World) -> None:
    await town.asked()
    await town.later(hours=1)
    assert (look_ups(town), len(town.max_account.posted)) == (1, 1)


NPS_THEN_CSAT = {
    "survey": [
        {"key": "nps", "metric": "nps", "delay": "1h"},
        {"key": "csat", "metric": "csat", "delay": "1h"},
    ]
}


@configured(merged(ONLY_MAX, NPS_THEN_CSAT))
async def test_what_is_due_together_is_asked_in_its_order_also_where_the_person_is_looked_up(
    town: World,
) -> None:
    await town.asked()
    [question] = in_max(town)
    assert "порекомендуете" in question


@configured(ONLY_MAX)
async def test_nothing_is_looked_up_or_sent_until_the_account_is_well_again(town: World) -> None:
    deal = await town.closed_deal()
    town.max_account.set_state("suspended")
    await town.step()
    await town.next_morning()
    assert (look_ups(town), town.max_account.posted) == (0, [])
    assert "max_account.state: suspended" in await town.app.health.reasons()
    town.max_account.set_state("authorized")
    await town.later(hours=1)
    assert len(in_max(town)) == 1
    assert (await town.survey(deal)).state == SurveyState.SENT


async def test_what_waits_in_the_gateway_for_the_night_is_taken_out_and_asked_once_by_day(
    town: World,
) -> None:
    deal = await town.closed_deal()
    town.whatsapp.set_phone_online(False)
    await town.next_morning()
    assert (town.card(deal), len(town.whatsapp.queue)) == ("Спросили 8 сентября в 12:00, WhatsApp", 1)
    await town.later(hours=9)  # 21:00: the window is closed
    assert town.whatsapp.queue == []
    town.whatsapp.set_phone_online(True)
    await town.later(minutes=3)
    await town.later(hours=1)
    assert town.to_ivan() == []
    survey = await town.survey(deal)
    assert (survey.state, survey.reason) == (SurveyState.PLANNED, "")
    await town.next_morning()
    await town.later(hours=1)
    assert len(town.to_ivan()) == 1
    assert town.card(deal) == "Спросили 9 сентября в 12:00, WhatsApp"


async def test_what_went_out_is_not_asked_again_when_the_queue_is_emptied(town: World) -> None:
    await town.asked()
    town.whatsapp.set_phone_online(False)
    await town.later(hours=9)
    await town.later(minutes=3)
    town.whatsapp.set_phone_online(True)
    await town.next_morning()
    assert len(town.to_ivan()) == 1
