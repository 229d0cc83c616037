"""Who is asked, when, through which messenger and in which words; and for whom it ends in which reason."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_model import CONTACTS
from storage.tables.surveys import SurveyState
from tests.world import ANNA, IVAN, PETR, ZONE, World, configured, merged
from worker.rules.promo import make_code

ONLY_TELEGRAM = {"whatsapp": {"provider": "none"}}
WHATSAPP_FIRST = {"delivery": {"channels": ["whatsapp", "telegram"]}}


def local(day: int, hour: int, minute: int = 0, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


# --- the question ------------------------------------------------------------------------------------------


async def test_a_client_is_asked_on_the_next_business_day_with_a_code_for_friends(town: World) -> None:
    deal = await town.closed_deal()
    await town.at(local(8, 10, 59))
    assert town.to_ivan() == []
    await town.at(local(8, 11))
    (question,) = town.to_ivan()
    code = town.amocrm.field_value(deal, "Промокод для друзей")
    assert question == (
        "Здравствуйте, Иван! Это ВладАвтоматика. Спасибо за заказ. Насколько вероятно, что вы порекомендуете "
        "нас друзьям? 1 — точно нет, 10 — обязательно. Выберите вариант или ответьте числом. "
        f"Ваш промокод для друзей — {code}, скидка 5\xa0%."
    )
    assert code.startswith("ДРУГ-")
    assert town.whatsapp.last(IVAN).options == (*map(str, range(1, 11)), "Не спрашивать")
    assert town.card(deal) == "Спросили 8 сентября в 11:00, WhatsApp"


async def test_the_card_says_when_the_client_will_be_asked(town: World) -> None:
    deal = await town.closed_deal()
    assert town.card(deal) == "Спросим 8 сентября в 11:00"


async def test_nobody_is_asked_twice_however_often_the_worker_looks(town: World) -> None:
    await town.asked()
    await town.until(local(9, 12))
    assert len(town.to_ivan()) == 1


OWN_WORDS = {
    "texts": {"opening.nps": "Добрый день[, {client_name}]! Это {company}[, ваш заказ — {about}]."},
    "amocrm": {"fields": {"about": "Что заказали"}},
}


@configured(OWN_WORDS, before=lambda amocrm: _add_field(amocrm, "Что заказали"))
async def test_the_company_words_it_as_it_likes(town: World) -> None:
    await town.asked(fields={"Что заказали": "секционные ворота"})
    assert town.to_ivan()[0].startswith(
        "Добрый день, Иван! Это ВладАвтоматика, ваш заказ — секционные ворота. Насколько"
    )


def _add_field(amocrm: AmoCrmStandIn, name: str, type: str = "text") -> None:
    amocrm.add_field(name, type)


@pytest.mark.parametrize("name", ["Иван ворота", "ИП Петров", "Клиент 17", "ООО «Ромашка»", ""])
async def test_a_nickname_of_the_crm_never_reaches_the_client(town: World, name: str) -> None:
    await town.asked([town.contact(name)])
    assert town.to_ivan()[0].startswith("Здравствуйте! Это ВладАвтоматика.")


# --- channels ----------------------------------------------------------------------------------------------


async def test_who_opened_the_bot_is_asked_there_by_ten_buttons_in_two_rows(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    question = town.telegram.last("Иван")
    assert question.text.startswith("Здравствуйте, Иван! Это ВладАвтоматика. Спасибо за заказ. Насколько")
    assert "Ответьте" not in question.text
    assert "Выберите" not in question.text
    assert question.markup is not None
    rows = [[button["text"] for button in row] for row in question.markup["inline_keyboard"]]
    assert rows == [["1", "2", "3", "4", "5"], ["6", "7", "8", "9", "10"], ["Позвоните мне", "Не спрашивать"]]
    assert town.to_ivan() == []
    assert town.card(deal) == "Спросили 8 сентября в 12:00, Telegram"


async def test_who_blocked_the_bot_is_asked_in_whatsapp(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    town.telegram.block("Иван")
    await town.next_morning()
    assert len(town.to_ivan()) == 1


BOTH_AT_ONCE = {
    "survey": [
        {"key": "nps", "metric": "nps", "delay": "1h"},
        {"key": "csat", "metric": "csat", "delay": "1h"},
    ]
}


@configured(BOTH_AT_ONCE)
async def test_what_is_due_together_is_asked_in_its_order_also_after_a_channel_failed(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    town.telegram.block("Иван")
    await town.next_morning()
    [question] = town.to_ivan()
    assert "порекомендуете" in question


async def test_who_left_telegram_without_a_word_is_asked_in_whatsapp_at_once(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    town.telegram.person("Иван").is_deactivated = True
    await town.next_morning()
    assert len(town.to_ivan()) == 1
    assert town.card(deal) == "Спросили 8 сентября в 12:00, WhatsApp"


@configured(WHATSAPP_FIRST)
async def test_who_turns_out_to_have_no_whatsapp_is_asked_in_telegram(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    town.whatsapp.has_no_account(IVAN)
    await town.next_morning()
    assert len(town.in_telegram()) == 2  # the greeting and the question
    assert town.card(deal) == "Спросили 8 сентября в 12:00, Telegram"
    survey = await town.survey(deal)
    assert (survey.state, survey.channel) == (SurveyState.SENT, "telegram")


async def test_a_number_without_any_messenger_ends_as_failed(town: World) -> None:
    deal = await town.closed_deal()
    town.whatsapp.has_no_account(IVAN)
    await town.next_morning()
    survey = await town.survey(deal)
    assert (survey.state, survey.reason) == (SurveyState.FAILED, "failed")
    assert town.card(deal) == "Не спросили: не удалось отправить"


async def test_what_failed_once_is_not_tried_with_the_next_deal(town: World) -> None:
    town.whatsapp.has_no_account(IVAN)
    await town.asked()
    await town.at(local(20, 12, month=10))
    second = await town.asked()
    assert (await town.survey(second)).reason == "unreachable"
    assert len(town.whatsapp.posted) == 1


@configured(ONLY_TELEGRAM)
async def test_who_cannot_be_reached_is_asked_after_all_once_the_bot_is_opened_in_time(town: World) -> None:
    deal = await town.asked()
    assert town.card(deal) == "Не спросили: нет в подключённых мессенджерах"
    await town.at(local(12, 15))
    await town.links(deal)
    assert [text[:40] for text in town.in_telegram()] == [
        "Здравствуйте, Иван! Это ВладАвтоматика. ",
        "Здравствуйте, Иван! Это ВладАвтоматика. ",
    ]
    assert town.telegram.last("Иван").labels[0] == "1"
    assert town.card(deal) == "Спросили 12 сентября в 15:00, Telegram"


@configured(ONLY_TELEGRAM)
async def test_who_opens_the_bot_too_late_is_only_greeted(town: World) -> None:
    deal = await town.asked()
    await town.at(local(17, 12))
    await town.links(deal)
    assert len(town.in_telegram()) == 1
    assert town.card(deal) == "Не спросили: нет в подключённых мессенджерах"


@configured(ONLY_TELEGRAM)
async def test_who_opens_the_bot_at_night_is_asked_in_the_morning(town: World) -> None:
    deal = await town.asked()
    await town.at(local(9, 23))
    await town.links(deal)
    assert len(town.in_telegram()) == 1
    await town.at(local(10, 10))
    assert town.telegram.last("Иван").labels[0] == "1"


@configured(ONLY_TELEGRAM)
async def test_a_shared_number_links_as_well(town: World) -> None:
    await town.closed_deal()
    town.telegram.start("Ваня")
    await town.step()
    assert "нажмите «Поделиться номером»" in town.in_telegram("Ваня")[0]
    town.telegram.share_contact("Ваня", phone=IVAN.removeprefix("+"))
    await town.step()
    assert town.in_telegram("Ваня")[1].startswith("Здравствуйте, Иван! Это ВладАвтоматика. Здесь мы спросим")
    await town.next_morning()
    assert town.telegram.last("Ваня").labels[0] == "1"


async def test_a_link_passed_on_to_a_friend_does_not_make_the_friend_the_client(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.links(deal, who="Сосед")
    assert "уже открыта в другом аккаунте" in town.in_telegram("Сосед")[0]
    await town.next_morning()
    assert town.telegram.last("Иван").labels[0] == "1"
    assert len(town.in_telegram("Сосед")) == 1


async def test_somebody_elses_card_links_nobody(town: World) -> None:
    await town.closed_deal()
    town.telegram.start("Сосед")
    town.telegram.share_contact("Сосед", phone=IVAN.removeprefix("+"), is_own=False)
    await town.step()
    assert "чужой номер" in town.in_telegram("Сосед")[-1]
    await town.next_morning()
    assert len(town.to_ivan()) == 1


# --- one person --------------------------------------------------------------------------------------------


async def test_three_contacts_with_one_phone_are_one_person_and_asked_once(town: World) -> None:
    deals = [
        await town.closed_deal([town.contact(name, phone)])
        for name, phone in [
            ("Иван Петров", "+7 (914) 000-00-01"),
            ("Ваня", "8 914 000 00 01"),
            ("Иван дача", "79140000001, звонить вечером"),
        ]
    ]
    await town.until(local(20, 12))
    states = [(await town.survey(deal)).state for deal in deals]
    assert states == [SurveyState.EXPIRED, SurveyState.SKIPPED, SurveyState.SKIPPED]
    assert [town.card(deal) for deal in deals[1:]] == ["Не спросили: недавно спрашивали"] * 2
    assert len(town.whatsapp.messages()) == 2  # one question, one reminder


async def test_the_main_contact_is_asked_and_the_other_left_alone(town: World) -> None:
    await town.asked([town.contact(), town.contact("Пётр", PETR)])
    assert len(town.to_ivan()) == 1
    assert town.whatsapp.messages(PETR) == []


async def test_a_company_without_contacts_is_asked_by_its_own_number(town: World) -> None:
    company = town.amocrm.add_company("ООО «Ромашка»", [IVAN])
    await town.asked([], company_id=company)
    assert town.to_ivan()[0].startswith("Здравствуйте! Это ВладАвтоматика.")


# --- which deals -------------------------------------------------------------------------------------------


async def test_a_deal_of_three_years_ago_closed_today_is_not_asked_about(town: World) -> None:
    deal = await town.closed_deal(created_at=local(7, 11) - timedelta(days=3 * 365))
    await town.next_morning()
    assert town.card(deal) == "Не спросили: сделка слишком старая"
    assert town.to_ivan() == []


@configured({"amocrm": {"max_deal_age": ""}})
async def test_without_a_limit_of_age_it_is(town: World) -> None:
    await town.asked(created_at=local(7, 11) - timedelta(days=3 * 365))
    assert len(town.to_ivan()) == 1


def _closed_before(amocrm: AmoCrmStandIn) -> None:
    """Ten deals that were won during the week before the worker came."""
    for day in range(10):
        contact = amocrm.add_contact("Иван", [f"+7914000100{day}"])
        deal = amocrm.add_lead(contacts=[contact])
        amocrm.close_lead(deal, at=local(6, 11) - timedelta(hours=12 * day))


@configured(before=_closed_before)
async def test_deals_closed_before_the_first_start_are_not_asked_about(town: World) -> None:
    await town.until(local(9, 12))
    for deal in town.amocrm.leads_in("Продажи"):
        town.amocrm.edit_lead(deal.id, price=5)  # touched, but not closed anew
    await town.until(local(10, 12))
    assert town.whatsapp.posted == []
    assert await town.surveys() == []


@configured({"amocrm": {"surveys_since": "2026-09-04"}}, before=_closed_before)
async def test_surveys_since_reaches_back(town: World) -> None:
    await town.at(local(7, 12))
    closed = {local(6, 11) - timedelta(hours=12 * day) for day in range(10)}
    wanted = [moment for moment in closed if moment >= local(4, 0)]
    assert len(await town.surveys()) == len(wanted)
    assert len(town.whatsapp.posted) == len([moment for moment in wanted if moment <= local(6, 12)])


async def test_a_closing_date_of_last_month_is_taken_for_an_old_deal(town: World) -> None:
    deal = town.deal()
    town.amocrm.close_lead(deal, at=local(1, 12))
    await town.step()
    await town.next_morning()
    assert town.to_ivan() == []


async def test_a_deal_reopened_in_time_is_not_asked_about_and_not_when_it_closes_again(town: World) -> None:
    deal = await town.closed_deal()
    town.amocrm.move_lead(deal, "Монтаж")
    await town.next_morning()
    assert town.card(deal) == "Не спросили: сделку открыли снова"
    town.amocrm.close_lead(deal)
    await town.until(local(20, 12))
    assert town.to_ivan() == []


async def test_a_deal_reopened_and_closed_again_before_the_question_is_asked_about_once(town: World) -> None:
    deal = await town.closed_deal()
    town.amocrm.move_lead(deal, "Монтаж")
    await town.later(minutes=30)
    town.amocrm.close_lead(deal)
    await town.later(minutes=30)
    assert town.card(deal) == "Спросим 8 сентября в 11:30"
    await town.at(local(8, 11, 30))
    await town.at(local(9, 12))
    assert len(town.to_ivan()) == 1


async def test_a_deal_closed_again_after_the_question_is_not_asked_about_again(town: World) -> None:
    deal = await town.asked()
    await town.ivan_writes("9")
    town.amocrm.move_lead(deal, "Монтаж")
    await town.later(days=40)
    town.amocrm.close_lead(deal)
    await town.until(town.clock.now() + timedelta(days=3))
    assert len(town.to_ivan()) == 2  # the question and the thanks


async def test_a_deleted_deal_is_not_asked_about(town: World) -> None:
    deal = await town.closed_deal()
    town.amocrm.delete_lead(deal)
    await town.next_morning()
    assert (await town.survey(deal)).reason == "deleted"
    assert town.to_ivan() == []


async def test_a_deal_without_contacts_ends_in_its_reason(town: World) -> None:
    deal = await town.asked([])
    assert town.card(deal) == "Не спросили: в сделке нет контакта"


async def test_a_contact_without_a_phone_ends_in_its_reason(town: World) -> None:
    deal = await town.asked([town.contact(phone=None)])
    assert town.card(deal) == "Не спросили: нет телефона"


@pytest.mark.parametrize("garbage", ["нет", "12", "+7 914", "уточнить у жены"])
async def test_a_phone_that_is_none_ends_in_its_reason(town: World, garbage: str) -> None:
    deal = await town.asked([town.contact(phone=garbage)])
    assert town.card(deal) == "Не спросили: нет телефона"


async def test_a_phone_filled_in_before_the_question_is_due_is_used(town: World) -> None:
    contact = town.contact(phone=None)
    await town.closed_deal([contact])
    phone = town.amocrm.field_id("Телефон", CONTACTS)
    town.amocrm.contacts[contact].fields[phone] = [{"value": IVAN, "enum_id": 1, "enum_code": "MOB"}]
    await town.next_morning()
    assert len(town.to_ivan()) == 1


async def test_a_deal_that_carries_our_code_already_was_asked_about_before_the_volume_was_lost(
    town: World,
) -> None:
    code = make_code("ДРУГ", 4821).code
    deal = await town.asked(fields={"Промокод для друзей": code})
    assert town.card(deal) == "Не спросили: уже спрашивали"
    assert town.to_ivan() == []


AFTER_INSTALLATION = {"key": "mid", "metric": "csat", "trigger": "deal_status", "statuses": ["Монтаж"]}


@configured({"survey": [{**AFTER_INSTALLATION, "delay": "1bd"}]})
async def test_after_a_status_the_deal_may_have_moved_on(town: World) -> None:
    deal = town.deal()
    await town.step()
    town.amocrm.move_lead(deal, "Монтаж")
    await town.step()
    town.amocrm.close_lead(deal)
    await town.next_morning()
    assert "Как вы оцените нашу работу?" in town.to_ivan()[0]


FROM_INSTALLATION = {
    "survey": [{"key": "nps", "metric": "nps", "from": "field:Дата монтажа", "delay": "1bd"}]
}


@configured(FROM_INSTALLATION, before=lambda amocrm: _add_field(amocrm, "Дата монтажа", "date"))
async def test_the_delay_counts_from_the_day_of_the_work_and_moves_with_it(town: World) -> None:
    deal = await town.closed_deal(fields={"Дата монтажа": local(16, 9)})
    assert town.card(deal) == "Спросим 17 сентября в 10:00"
    town.amocrm.edit_lead(deal, fields={"Дата монтажа": local(21, 12)})
    await town.later(hours=1)
    assert town.card(deal) == "Спросим 22 сентября в 12:00"
    await town.at(local(17, 12))
    assert town.to_ivan() == []
    await town.at(local(22, 12))
    assert len(town.to_ivan()) == 1


# --- who wants to be asked ---------------------------------------------------------------------------------


async def test_a_stop_tag_of_the_deal_ends_it(town: World) -> None:
    deal = await town.closed_deal()
    town.amocrm.edit_lead(deal, tags_to_add=["Возврат"])
    await town.next_morning()
    assert town.card(deal) == "Не спросили: стоит метка, по которой не спрашиваем"


async def test_a_stop_tag_of_the_contact_ends_it(town: World) -> None:
    contact = town.contact()
    deal = await town.closed_deal([contact])
    town.amocrm.contacts[contact].tags.append("не опрашивать")
    await town.next_morning()
    assert town.card(deal) == "Не спросили: стоит метка, по которой не спрашиваем"


def _consent(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field("Согласие на сообщения", "checkbox", kind=CONTACTS)
    amocrm.add_field("Согласие на рекламу", "checkbox", kind=CONTACTS)


CONSENT = {"amocrm": {"consent_field": "Согласие на сообщения"}}
ADVERTISING = {"amocrm": {"advertising_consent_field": "Согласие на рекламу"}}


@configured(CONSENT, before=_consent)
async def test_without_the_configured_consent_nobody_is_asked(town: World) -> None:
    contact = town.contact()
    deal = await town.closed_deal([contact])
    await town.next_morning()
    assert town.card(deal) == "Не спросили: нет согласия"


@configured(CONSENT, before=_consent)
async def test_a_consent_given_before_the_question_is_due_counts(town: World) -> None:
    contact = town.contact()
    await town.closed_deal([contact])
    town.tick(contact, "Согласие на сообщения")
    await town.next_morning()
    assert len(town.to_ivan()) == 1


@configured(ADVERTISING, before=_consent)
async def test_without_consent_to_advertising_the_same_question_goes_without_the_code(town: World) -> None:
    deal = await town.asked()
    assert "порекомендуете нас друзьям" in town.to_ivan()[0]
    assert "ДРУГ" not in town.to_ivan()[0]
    assert (await town.survey(deal)).text_variant == "opening.nps+nps.question+tail.poll"


@configured(ADVERTISING, before=_consent)
async def test_with_consent_to_advertising_the_code_goes_and_the_books_say_so(town: World) -> None:
    contact = town.contact()
    deal = await town.closed_deal([contact])
    town.tick(contact, "Согласие на рекламу")
    await town.next_morning()
    survey = await town.survey(deal)
    assert survey.promo_code in town.to_ivan()[0]
    assert survey.text_variant == "opening.nps+nps.question+tail.poll+promo.in_question"
    assert survey.scale == "1-10 low=5 high=9"


THANKED_WITH_CODE = {"survey": [{"key": "nps", "metric": "nps", "promo_in": "thanks_high"}]}


@configured(merged(ADVERTISING, THANKED_WITH_CODE), before=_consent)
@pytest.mark.parametrize("consents", [True, False])
async def test_thanks_carry_the_code_only_with_consent_to_advertising(town: World, consents: bool) -> None:
    contact = town.contact()
    deal = await town.closed_deal([contact])
    town.tick(contact, "Согласие на рекламу", is_on=consents)
    await town.next_morning()
    await town.ivan_writes("10")
    assert ("промокод для друзей" in town.to_ivan()[-1]) == consents
    assert town.amocrm.field_value(deal, "NPS") == "10"


@configured(merged(THANKED_WITH_CODE, {"referral": {"channels": ["telegram"]}}))
async def test_thanks_carry_no_code_where_advertising_is_not_allowed(town: World) -> None:
    await town.asked()
    await town.ivan_writes("10")
    assert "промокод" not in town.to_ivan()[-1]


@configured({"referral": {"channels": ["telegram"]}})
async def test_where_advertising_is_not_allowed_the_code_is_left_out(town: World) -> None:
    deal = await town.asked()
    assert "ДРУГ" not in town.to_ivan()[0]
    assert (await town.survey(deal)).promo_code == ""
    # The code exists for the manager to name, and marks that the client was asked.
    assert town.amocrm.field_value(deal, "Промокод для друзей").startswith("ДРУГ-")
    await town.ivan_writes("код")
    assert town.to_ivan()[-1] == "Код назовёт ваш менеджер по телефону +7 423 200-00-00."


@configured({"survey": [{"key": "nps", "metric": "nps", "promo_in": "on_request"}]})
async def test_a_code_on_request_is_handed_over_to_who_asks(town: World) -> None:
    deal = await town.asked()
    assert "ДРУГ" not in town.to_ivan()[0]
    await town.ivan_writes("9")
    assert "ответьте «код»" in town.to_ivan()[-1]
    await town.ivan_writes("код")
    code = town.amocrm.field_value(deal, "Промокод для друзей")
    assert town.to_ivan()[-1] == (
        f"ВладАвтоматика: промокод для друзей — {code}\nСкидка 5\xa0% по этому коду.\n"
        "Телефон: +7 423 200-00-00"
    )


async def test_who_said_stop_is_asked_nowhere_any_more(town: World) -> None:
    first = await town.asked()
    await town.ivan_writes("стоп")
    assert town.to_ivan()[-1] == (
        "Хорошо, больше не будем присылать вопросы. По заказу мы на связи: +7 423 200-00-00. "
        "Если передумаете, ответьте «вернуться»."
    )
    assert "не опрашивать" in town.amocrm.contacts[town.ivan()].tags
    assert town.amocrm.notes_of(first) == [
        "Клиент попросил больше не присылать вопросы (WhatsApp, 8 сентября в 12:01)."
    ]
    await town.ivan_writes("стоп")
    assert len(town.to_ivan()) == 2  # one confirmation
    await town.at(local(20, 12, month=10))
    # In the other messenger and by another contact with the same number: it is the same person.
    second = await town.closed_deal([town.contact("Ваня")])
    await town.links(second)
    await town.next_morning()
    assert town.card(second) == "Не спросили: попросили не писать"
    assert len(town.in_telegram()) == 1  # the greeting


async def test_who_wants_back_is_asked_again(town: World) -> None:
    await town.asked()
    await town.ivan_writes("стоп")
    await town.ivan_writes("вернуться")
    assert town.to_ivan()[-1] == "Хорошо, вопросы снова включены."
    await town.at(local(20, 12, month=10))
    await town.asked([town.contact("Ваня")])
    assert "порекомендуете" in town.to_ivan()[-1]


async def test_a_tap_on_do_not_ask_in_telegram_is_an_opt_out_too(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    await town.taps("Не спрашивать")
    assert town.in_telegram()[-1].startswith("Хорошо, больше не будем присылать вопросы.")
    await town.at(local(20, 12, month=10))
    second = await town.asked()
    assert (await town.survey(second)).reason in ("opted_out", "stop_tag")


async def test_an_option_of_the_poll_is_an_opt_out_too(town: World) -> None:
    await town.asked()
    await town.ivan_votes("Не спрашивать")
    assert town.to_ivan()[-1].startswith("Хорошо, больше не будем присылать вопросы.")


async def test_who_was_asked_about_another_deal_lately_is_spared_at_once(town: World) -> None:
    await town.asked()
    await town.at(local(15, 11))
    second = await town.asked([town.contact("Ваня")])
    assert town.card(second) == "Не спросили: недавно спрашивали"
    assert len(town.to_ivan()) <= 2  # the first question and perhaps its reminder


@configured({"delivery": {"min_days_between_surveys": 5}})
async def test_a_short_pause_is_waited_for(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    second = await town.asked()  # asked on the 8th at noon, this one is due on the 9th
    assert town.card(second) == "Спросим 9 сентября в 12:01"
    assert len(town.to_ivan()) == 2
    await town.at(local(14, 11, 59))  # the 13th is a Sunday
    assert len(town.to_ivan()) == 3


NPS_THEN_CSAT = [{"key": "nps", "metric": "nps"}, {"key": "csat", "metric": "csat", "delay": "3d"}]


@configured({"survey": NPS_THEN_CSAT})
async def test_surveys_of_one_deal_do_not_block_each_other(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.at(local(10, 12))
    assert "Как вы оцените нашу работу?" in town.to_ivan()[-1]


async def test_who_was_silent_three_times_is_left_alone(town: World) -> None:
    for _ in range(3):
        await town.asked()
        await town.until(town.clock.now() + timedelta(days=34), timedelta(days=4))
    fourth = await town.asked()
    assert town.card(fourth) == "Не спросили: не отвечают на вопросы"
    assert len(town.to_ivan()) == 6  # three questions, each with its reminder


async def test_an_answer_ends_the_silence(town: World) -> None:
    for answer in ("", "", "9", ""):
        await town.asked()
        if answer:
            await town.ivan_writes(answer)
        await town.until(town.clock.now() + timedelta(days=34), timedelta(days=4))
    fifth = await town.asked()
    assert (town.card(fifth) or "").startswith("Спросили")


async def test_staff_are_not_asked(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    ivan = town.telegram.person("Иван").user_id
    people = [*town.config["staff"], {"telegram_id": ivan, "name": "Иван", "role": "manager"}]
    await town.restart(staff=people)
    await town.next_morning()
    assert town.card(deal) == "Не спросили: это сотрудник"


async def test_who_has_an_open_complaint_is_not_asked_about_another_deal(town: World) -> None:
    town.deal(pipeline="Рекламации", name="Звонил, ругался")
    deal = await town.asked()
    assert town.card(deal) == "Не спросили: открыта рекламация"


# --- when --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "asked"),
    [
        (local(7, 23, 30), local(8, 10)),  # late in the evening: at the opening
        (local(8, 5), local(9, 10)),
        (local(11, 19), local(14, 19)),  # Friday → Monday
        (local(12, 12), local(14, 12)),  # Saturday is no business day
        (local(13, 12), local(14, 12)),  # nor is Sunday
        (datetime(2026, 11, 3, 15, tzinfo=ZONE), datetime(2026, 11, 5, 15, tzinfo=ZONE)),  # a public holiday
        (datetime(2026, 12, 31, 15, tzinfo=ZONE), datetime(2027, 1, 11, 15, tzinfo=ZONE)),
    ],
)
async def test_the_question_goes_on_a_business_day_in_the_send_window(
    town: World, closed: datetime, asked: datetime
) -> None:
    town.clock.set(closed)
    await town.closed_deal()
    await town.until(asked - timedelta(minutes=1))
    assert town.to_ivan() == []
    await town.at(asked)
    assert len(town.to_ivan()) == 1


@configured({"survey": [{"key": "nps", "metric": "nps", "delay": "1d"}]})
async def test_no_question_on_a_sunday(town: World) -> None:
    town.clock.set(local(12, 15))
    await town.closed_deal()
    await town.until(local(14, 9, 59))
    assert town.to_ivan() == []
    await town.at(local(14, 10))
    assert len(town.to_ivan()) == 1


@configured({"survey": [{"key": "nps", "metric": "nps", "delay": "0s"}]})
async def test_at_once_means_at_once_but_not_at_night(town: World) -> None:
    await town.closed_deal()
    assert len(town.to_ivan()) == 1
    await town.at(local(8, 22, month=10))
    await town.closed_deal([town.contact("Пётр", PETR)])
    assert town.whatsapp.messages(PETR) == []
    await town.at(local(9, 10, month=10))
    assert len(town.whatsapp.messages(PETR)) == 1


async def test_a_worker_that_was_down_for_two_weeks_asks_nobody_about_what_is_long_past(town: World) -> None:
    deal = await town.closed_deal()
    await town.at(local(21, 12))
    assert town.card(deal) == "Не спросили: опоздали с отправкой"
    assert town.to_ivan() == []


async def test_a_worker_that_was_down_for_two_days_asks_when_it_is_back(town: World) -> None:
    town.amocrm.close_lead(deal := town.deal())
    await town.at(local(10, 12))
    assert town.card(deal) == "Спросили 10 сентября в 12:00, WhatsApp"


async def test_nobody_is_asked_while_a_person_of_the_company_talks_in_that_chat(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.at(local(20, 11, month=10))
    await town.closed_deal()
    await town.at(local(21, 10, month=10))
    await town.manager_writes("Иван, ключи от ворот у охраны")
    await town.at(local(21, 12, month=10))
    assert len(town.to_ivan()) == 2
    await town.at(local(21, 14, 1, month=10))
    assert len(town.to_ivan()) == 3


async def test_nobody_is_asked_while_a_question_of_theirs_waits_for_an_answer(town: World) -> None:
    await town.asked()
    await town.ivan_writes("9")
    await town.at(local(20, 11, month=10))
    deal = await town.closed_deal()
    await town.at(local(21, 10, month=10))
    await town.ivan_writes("Здравствуйте, а когда приедет мастер?")
    await town.until(local(21, 18, month=10))
    assert not [text for text in town.to_ivan()[1:] if "порекомендуете" in text]
    await town.manager_writes("Завтра в десять")
    await town.at(local(22, 12, month=10))
    assert "порекомендуете" in town.to_ivan()[-1]
    assert (town.card(deal) or "").startswith("Спросили 22 октября")


@configured({"delivery": {"max_per_hour": 2}})
async def test_no_more_than_so_many_an_hour(town: World) -> None:
    for number in range(5):
        await town.closed_deal([town.contact(phone=f"+7914000200{number}")])
    await town.next_morning()
    assert len(town.whatsapp.posted) == 2
    await town.later(minutes=59)
    assert len(town.whatsapp.posted) == 2
    await town.later(minutes=2)
    assert len(town.whatsapp.posted) == 4
    await town.later(minutes=61)
    assert len(town.whatsapp.posted) == 5


@configured({"whatsapp": {"gap": "45s"}})
async def test_a_queue_behind_the_gap_is_not_looked_at_as_a_whole_each_time(town: World) -> None:
    people = [town.contact(f"Клиент {number}", f"+7914000010{number}") for number in range(10)]
    for person in people:
        town.amocrm.close_lead(town.deal([person]))
    await town.step()
    await town.next_morning()
    asked = 1
    while asked < len(people):
        await town.later(seconds=46)  # a tick is never quite on time
        asked += 1
        assert len([survey for survey in await town.surveys() if survey.sent_at is not None]) == asked
    assert sum(survey.attempt for survey in await town.surveys()) <= 3 * len(people)


@configured({"delivery": {"max_per_hour": 2}})
async def test_a_queue_behind_the_cap_of_the_hour_is_not_either(town: World) -> None:
    people = [town.contact(f"Клиент {number}", f"+791400001{number}") for number in range(10, 26)]
    for person in people:
        town.amocrm.close_lead(town.deal([person]))
    await town.step()
    await town.next_morning()
    for hour in range(1, 8):
        await town.later(minutes=61)
        asked = [survey for survey in await town.surveys() if survey.sent_at is not None]
        assert len(asked) == 2 + 2 * hour
    assert sum(survey.attempt for survey in await town.surveys()) <= 3 * len(people)


@configured({"whatsapp": {"gap": "45s"}})
async def test_a_user_account_does_not_hurry_from_stranger_to_stranger(town: World) -> None:
    for number in range(3):
        await town.closed_deal([town.contact(phone=f"+7914000200{number}")])
    await town.next_morning()
    counts = [len(town.whatsapp.posted)]
    for _ in range(4):
        await town.later(seconds=30)
        counts.append(len(town.whatsapp.posted))
    assert counts == [1, 1, 2, 2, 3]


# --- when the answer of a messenger is lost ----------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"status": 504}, {"drop": True}, {"status": 500}])
async def test_a_question_whose_fate_is_unknown_counts_as_asked(town: World, fault: dict[str, Any]) -> None:
    deal = await town.closed_deal()
    town.whatsapp.faults.add("send", method="POST", after=True, **fault)
    await town.next_morning()
    await town.until(local(9, 12))
    assert len(town.to_ivan()) == 1
    assert (town.card(deal) or "").startswith("Спросили 8 сентября в 12:00")


async def test_a_later_reply_confirms_that_it_arrived(town: World) -> None:
    deal = await town.closed_deal()
    # Not even the gateway's notification about its own message comes through.
    town.whatsapp.faults.add("send", method="POST", after=True, status=504)
    town.whatsapp.settings["outgoingAPIMessageWebhook"] = "no"
    town.whatsapp.settings["outgoingWebhook"] = "no"
    await town.next_morning()
    assert (await town.survey(deal)).uncertain
    await town.ivan_writes("9")
    survey = await town.survey(deal)
    assert (survey.state, survey.score, survey.uncertain) == (SurveyState.ANSWERED, 9, False)


NOT_AUTHORIZED = {"status": 400, "json": {"message": "Instance in not authorized"}}


@pytest.mark.parametrize("fault", [{"status": 429}, NOT_AUTHORIZED])
async def test_a_question_that_was_certainly_refused_goes_later(town: World, fault: dict[str, Any]) -> None:
    deal = await town.closed_deal()
    town.whatsapp.faults.add("send", method="POST", **fault)
    await town.next_morning()
    assert town.to_ivan() == []
    await town.later(minutes=30)
    assert len(town.to_ivan()) == 1
    assert (await town.survey(deal)).state == SurveyState.SENT


async def test_without_a_fresh_look_at_the_deal_nobody_is_asked(town: World) -> None:
    deal = await town.closed_deal()
    fault = town.amocrm.faults.add(f"/leads/{deal}$", method="GET", status=502, times=0)
    await town.next_morning()
    assert town.to_ivan() == []
    town.amocrm.faults.active.remove(fault)
    await town.later(minutes=5)
    assert len(town.to_ivan()) == 1


async def test_the_head_is_no_client(town: World) -> None:
    town.telegram.says("Анна", "9")
    await town.step()
    assert town.telegram.person("Анна").user_id == ANNA
    assert town.to_anna() == town.to_anna()[:1]  # at most the greeting at the start
