"""Which messenger a question takes, and how the company learns that one of them fails."""

from datetime import timedelta

from tests.world import IVAN, MAX_ACCOUNT, World, configured, merged

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


@configured(merged(MAX_ACCOUNT, {"delivery": {"channels": ["max_account", "whatsapp"]}}))
async def test_an_account_that_may_look_up_nobody_holds_up_no_other_channel(town: World) -> None:
    town.max_account.faults.add("checkAccount", times=0, status=466, body="quota exceeded")
    deal = await town.asked()
    assert (await town.survey(deal)).channel == "whatsapp"
    assert len(town.to_ivan()) == 1


async def test_a_manager_who_wrote_first_to_somebody_new_holds_the_question_back(town: World) -> None:
    deal = await town.closed_deal()
    await town.at(town.local().replace(hour=10) + timedelta(days=1))
    await town.manager_writes("Добрый день! Сколько створок?")
    await town.later(hours=3)
    assert (await town.survey(deal)).sent_at is None
    await town.later(hours=2)
    assert (await town.survey(deal)).sent_at is not None


@configured(
    {"delivery": {"channels": ["whatsapp", "telegram"], "reminder_after": "1d", "send_days": "mon-sun"}}
)
async def test_a_reminder_counts_from_the_question_that_arrived(town: World) -> None:
    town.whatsapp.keep_statuses()
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.at(town.local().replace(hour=21))
    post = town.whatsapp.last(IVAN)
    town.whatsapp.tells_status(post.id_message, post.chat_id, "noAccount")
    await town.step(pulls=False)
    await town.at(town.local().replace(hour=10) + timedelta(days=1))
    assert (await town.survey(deal)).channel == "telegram"
    told = len(town.in_telegram())
    await town.at(town.local().replace(hour=15))
    assert len(town.in_telegram()) == told, "not two hours later"
    await town.later(days=1)
    assert len(town.in_telegram()) == told + 1
