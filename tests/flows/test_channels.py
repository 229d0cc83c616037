"""Which messenger a question takes, and how the company learns that one of them fails."""

from tests.world import World, configured

SOON_AGAIN = {"delivery": {"min_days_between_surveys": 0}}


@configured(SOON_AGAIN)
async def test_who_answered_in_whatsapp_is_asked_there_again_whatever_the_companys_order(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    second = town.deal()
    await town.step()
    await town.links(second)  # Telegram comes first in the company's order, and could be written to now.
    town.amocrm.close_lead(second)
    await town.step()
    await town.later(days=1, hours=1)
    assert (await town.survey(second)).channel == "whatsapp"


@configured(SOON_AGAIN)
async def test_who_was_asked_and_never_answered_is_asked_in_the_companys_order(town: World) -> None:
    await town.asked()
    second = town.deal()
    await town.step()
    await town.links(second)
    await town.later(days=8)  # The first question has expired.
    town.amocrm.close_lead(second)
    await town.step()
    await town.later(days=1, hours=1)
    assert (await town.survey(second)).channel == "telegram"


@configured(SOON_AGAIN)
async def test_where_the_favourite_cannot_be_reached_any_more_the_order_goes_on(town: World) -> None:
    first = town.deal()
    await town.step()
    await town.links(first)
    town.amocrm.close_lead(first)
    await town.step()
    await town.next_morning()
    await town.taps("9")
    town.telegram.block("Иван")
    second = await town.closed_deal()
    await town.later(days=1, hours=1)
    assert (await town.survey(second)).channel == "whatsapp"


@configured({"whatsapp": {"provider": "none"}})
async def test_who_left_the_bot_and_comes_back_in_time_is_asked_after_all(town: World) -> None:
    deal = town.deal()
    await town.step()
    await town.links(deal)
    town.amocrm.close_lead(deal)
    await town.step()
    town.telegram.person("Иван").is_deactivated = True  # The question is refused, and so is its channel.
    await town.next_morning()
    assert (await town.survey(deal)).reason == "unreachable"
    town.telegram.person("Иван").is_deactivated = False
    town.telegram.start("Иван")
    await town.later(minutes=5)
    survey = await town.survey(deal)
    assert (survey.state, survey.channel) == ("sent", "telegram")
