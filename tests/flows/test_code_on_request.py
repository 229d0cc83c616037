"""`promo_in = "on_request"`: the text goes without the code; who asks gets it, where it may go."""

from typing import Any

import pytest
from sqlmodel import col, select

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import CONTACTS
from storage.tables.people import PromoCode
from storage.tables.surveys import Message
from tests.flows.test_conversation import CSAT, NPS, OFFICE, replies
from tests.world import IVAN, World, configured, merged

ON_REQUEST: dict[str, Any] = {"survey": [{**NPS, "promo_in": "on_request"}]}
ONLY_TELEGRAM = merged(ON_REQUEST, {"referral": {"channels": ["telegram"]}})
ONLY_WHATSAPP = merged(ON_REQUEST, {"referral": {"channels": ["whatsapp"]}})
BOX = "Согласие на рекламу"
WITH_CONSENT = merged(ON_REQUEST, {"amocrm": {"advertising_consent_field": BOX}})

NOT_HERE = f"Код назовёт ваш менеджер по телефону {OFFICE}."
OFFER = "Если захотите посоветовать нас знакомым, ответьте «код»."


def consent_box(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field(BOX, "checkbox", kind=CONTACTS)


async def said(town: World) -> list[tuple[str, str]]:
    """Which text went by which messenger, as the books have it."""
    async with town.db.reading() as tx:
        rows = await tx.exec(select(Message).order_by(col(Message.id)))
        return [(row.channel, row.text_variant) for row in rows if not row.text_variant.startswith("start.")]


async def handed_out(town: World) -> list[str]:
    async with town.db.reading() as tx:
        sent = select(PromoCode.code).where(col(PromoCode.first_sent_at).is_not(None))
        return list(await tx.exec(sent))


def card(town: World, deal: int) -> str:
    code = town.amocrm.field_value(deal, "Промокод для друзей")
    return f"ВладАвтоматика: промокод для друзей — {code}\nСкидка 5\xa0% по этому коду.\nТелефон: {OFFICE}"


async def asked_in_telegram(town: World) -> int:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    return deal


@configured(ON_REQUEST)
async def test_who_types_the_word_gets_the_card_and_the_books_name_every_text(town: World) -> None:
    deal = await town.asked()
    assert "ДРУГ" not in town.to_ivan()[0]
    await town.ivan_writes("10")
    assert town.to_ivan()[1:] == [
        f"Спасибо! Записали: 10 из 10. Если захотите, напишите, что понравилось больше всего.\n\n{OFFER}"
    ]
    assert await handed_out(town) == []
    await town.ivan_writes("Код")
    assert town.to_ivan()[2:] == [card(town, deal)]
    assert len(await handed_out(town)) == 1
    assert await said(town) == [
        ("whatsapp", "opening.nps+nps.question+tail.poll"),
        ("whatsapp", "nps.thanks_high+promo.offer"),
        ("whatsapp", "promo.card"),
    ]
    survey = await town.survey(deal)
    assert (survey.text_variant, survey.promo_code) == ("opening.nps+nps.question+tail.poll", "")


@configured(ON_REQUEST)
async def test_who_taps_the_button_gets_the_card_once_however_often_telegram_tells_of_it(
    town: World,
) -> None:
    deal = await asked_in_telegram(town)
    assert "ДРУГ" not in town.telegram.last("Иван").text
    await town.taps("9")
    thanks = town.telegram.last("Иван")
    assert thanks.labels == ["Код для друзей"]
    assert "код" not in thanks.text  # The button says it.
    before = len(town.in_telegram())
    await town.taps("Код для друзей")
    await town.later(hours=1)
    assert town.in_telegram()[before:] == [card(town, deal)]
    assert await said(town) == [
        ("telegram", "opening.nps+nps.question"),
        ("telegram", "nps.thanks_high"),
        ("telegram", "promo.card"),
    ]


@configured(ON_REQUEST)
async def test_a_word_that_came_twice_by_the_gateway_is_answered_once(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("код")
    town.whatsapp.repeat(3)
    await town.later(minutes=1)
    assert town.to_ivan()[1:] == [card(town, deal)]
    # It answered nothing: the question is still open.
    await town.ivan_writes("8")
    assert (await town.survey(deal)).score == 8


@configured(ON_REQUEST)
async def test_who_was_unhappy_is_offered_nothing_and_gets_it_on_request_all_the_same(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("2")
    assert "код" not in town.to_ivan()[-1].lower()
    await town.ivan_writes("код")
    assert town.to_ivan()[-1] == card(town, deal)


@configured(ONLY_TELEGRAM)
async def test_where_advertising_is_not_allowed_nothing_is_offered_and_the_manager_names_it(
    town: World,
) -> None:
    await town.asked()
    await town.ivan_writes("10")
    assert "«код»" not in town.to_ivan()[-1]
    await town.ivan_writes("код")
    assert town.to_ivan()[-1] == NOT_HERE
    assert not any("ДРУГ" in text for text in town.to_ivan())
    assert await handed_out(town) == []
    assert await said(town) == [
        ("whatsapp", "opening.nps+nps.question+tail.poll"),
        ("whatsapp", "nps.thanks_high"),
        ("whatsapp", "promo.not_here"),
    ]


@configured(ONLY_WHATSAPP)
async def test_the_same_in_telegram_where_there_is_no_button(town: World) -> None:
    await asked_in_telegram(town)
    await town.taps("10")
    assert town.telegram.last("Иван").labels == []
    town.telegram.says("Иван", "код")
    await town.later(minutes=1)
    assert town.in_telegram()[-1] == NOT_HERE
    assert await handed_out(town) == []


@configured(WITH_CONSENT, before=consent_box)
@pytest.mark.parametrize("consents", [True, False])
async def test_the_code_goes_only_with_consent_to_advertising(town: World, consents: bool) -> None:
    town.tick(town.ivan(), BOX, is_on=consents)
    deal = await town.asked()
    await town.ivan_writes("10")
    assert (OFFER in town.to_ivan()[-1]) == consents
    await town.ivan_writes("код")
    assert town.to_ivan()[-1] == (card(town, deal) if consents else NOT_HERE)
    assert len(await handed_out(town)) == consents
    assert (await said(town))[-1] == ("whatsapp", "promo.card" if consents else "promo.not_here")


@configured(WITH_CONSENT, before=consent_box)
async def test_consent_that_was_withdrawn_after_the_offer_forbids_the_card(town: World) -> None:
    town.tick(town.ivan(), BOX)
    await asked_in_telegram(town)
    await town.taps("10")
    assert town.telegram.last("Иван").labels == ["Код для друзей"]
    town.tick(town.ivan(), BOX, is_on=False)
    tap = await town.taps("Код для друзей")
    assert town.in_telegram()[-1] == NOT_HERE
    assert (town.telegram.taps[tap].is_answered, town.telegram.taps[tap].answer) == (True, "")
    assert not any("ДРУГ" in text for text in town.in_telegram())
    assert await handed_out(town) == []


@configured(ON_REQUEST)
async def test_a_card_that_found_nobody_was_handed_to_nobody(town: World) -> None:
    await asked_in_telegram(town)
    town.telegram.says("Иван", "код")
    town.telegram.person("Иван").is_deactivated = True
    await town.step()
    assert await handed_out(town) == []
    assert ("telegram", "promo.card") not in await said(town)


@configured(ON_REQUEST)
async def test_a_word_for_the_code_is_kept_as_what_it_is(town: World) -> None:
    await town.asked()
    await town.ivan_writes("код")
    assert [(reply.text, reply.rule, reply.score) for reply in await replies(town)] == [
        ("код", "command", None)
    ]
    assert town.whatsapp.last(IVAN).text.startswith("ВладАвтоматика")


@configured({"survey": [{**NPS, "promo_in": "thanks_high"}, CSAT]})
async def test_a_card_that_goes_with_the_next_question_is_in_the_books_as_well(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("10! Олег молодец")
    assert card(town, deal) in town.to_ivan()[1]
    assert "менеджера" in town.to_ivan()[1]
    assert len(await handed_out(town)) == 1
    assert (await said(town))[1:] == [
        (
            "whatsapp",
            "thanks.words_high+promo.card+next.thanked.last+csat_manager.question+tail.typed",
        )
    ]
    assert (await town.survey(deal, "csat_manager")).text_variant == (await said(town))[1][1]
