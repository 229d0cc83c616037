"""A client gives a 3. What happens next, until somebody owns it?"""

from typing import Any

import pytest

from tests.stories.company import IVAN, ON_SQLITE, Company, until

MARIA_KIM = 78  # whom Anna is in amoCRM
OLEG = 77
TWO_QUESTIONS = [
    {"key": "nps", "metric": "nps", "delay": "0s"},
    {"key": "csat_manager", "metric": "csat", "subject": "manager", "delay": "0s"},
]


def the_complaint(shop: Company) -> dict[str, Any]:
    """The only one, once all that belongs to it is there."""
    until(shop.complaints, "a complaint deal")
    until(shop.alerts, "an alert")
    shop.wait_until_idle()
    [complaint] = shop.complaints()
    return complaint


def opened_by(alert: dict[str, Any]) -> str:
    """Where the alert's button leads."""
    buttons = [button for row in alert["markup"]["inline_keyboard"] for button in row]
    [address] = [button["url"] for button in buttons if "url" in button]
    return str(address)


def test_a_low_score_ends_with_somebody_owning_it(shop: Company) -> None:
    company = shop.amocrm.do("add_company", name="ООО «Ромашка»")
    shop.start()
    deal = shop.won_deal("Ворота Зимородковых", company_id=company)
    shop.wait_for_question()
    shop.ivan_writes("3, монтаж три недели")

    complaint = the_complaint(shop)
    assert complaint["contact_ids"] == [shop.contacts[IVAN]]
    assert complaint["company_id"] == company
    assert complaint["responsible_user_id"] == MARIA_KIM
    [task] = shop.tasks(complaint["id"])
    assert task["responsible_user_id"] == MARIA_KIM
    assert task["complete_till"] > complaint["created_at"]
    [note] = shop.notes(complaint["id"])
    for text in (task["text"], note):
        assert "«монтаж три недели»" in text
        assert f"/leads/detail/{deal}" in text
    assert "«Ворота Зимородковых»" in note
    assert shop.score(deal) == 3
    [alert] = shop.alerts()
    assert "«монтаж три недели»" in alert["text"]
    assert "Олег Смирнов" in alert["text"]
    assert opened_by(alert) == f"{shop.amocrm.url}/leads/detail/{complaint['id']}"
    [_, thanks] = shop.to_ivan()
    assert "жаль" in thanks


@pytest.mark.long  # by day tests/flows tells it
@ON_SQLITE
def test_words_that_come_later_join_complaint_and_alert(shop: Company) -> None:
    shop.start()
    shop.won_deal()
    shop.wait_for_question()
    shop.ivan_writes("3")
    complaint = the_complaint(shop)
    shop.ivan_writes("монтаж три недели, и никто не позвонил")
    until(lambda: "никто не позвонил" in shop.alerts()[0]["text"], "the words in the alert")
    shop.wait_until_idle()
    assert [note for note in shop.notes(complaint["id"]) if "никто не позвонил" in note]
    assert the_complaint(shop) == complaint
    assert len(shop.alerts()) == 1


@pytest.mark.long  # by day tests/flows tells it
def test_the_same_notification_twice_changes_nothing(shop: Company) -> None:
    shop.start()
    deal = shop.won_deal()
    shop.wait_for_question()
    shop.ivan_writes("3, монтаж три недели")
    complaint = the_complaint(shop)
    before = (shop.to_ivan(), shop.bot_wrote(), shop.notes(deal), shop.notes(complaint["id"]))
    [reply] = shop.exported()

    shop.whatsapp.do(
        "says", who=IVAN, text="3, монтаж три недели", id_message=reply["external_id"].split(":")[0]
    )
    deleted = len(shop.whatsapp.calls("/deleteNotification/"))
    shop.whatsapp.do("repeat", times=2)
    until(lambda: len(shop.whatsapp.calls("/deleteNotification/")) >= deleted + 2, "the repeats taken in")
    shop.wait_until_idle()
    after = (shop.to_ivan(), shop.bot_wrote(), shop.notes(deal), shop.notes(complaint["id"]))
    assert after == before
    assert the_complaint(shop) == complaint
    assert shop.exported() == [reply]


@pytest.mark.long  # by day tests/flows tells it
@ON_SQLITE
def test_a_second_low_score_on_that_deal_joins_the_complaint(shop: Company) -> None:
    shop.start(survey=TWO_QUESTIONS)
    deal = shop.won_deal()
    shop.wait_for_question()
    shop.ivan_writes("9")
    shop.wait_for_question("работу менеджера")
    shop.ivan_writes("2, не перезванивал")
    complaint = the_complaint(shop)
    assert complaint["responsible_user_id"] == MARIA_KIM  # not Oleg, whom it is about
    # Having slept on it, he thinks less of the company too.
    first = shop.whatsapp.do("messages", who=IVAN)[0]
    shop.whatsapp.do("votes", who=IVAN, option="3", id_message=first["id_message"])

    until(lambda: shop.score(deal, "NPS") == 3, "the second score")
    until(lambda: [note for note in shop.notes(complaint["id"]) if "Ещё одна низкая оценка" in note])
    assert the_complaint(shop) == complaint
    assert len(shop.tasks(complaint["id"])) == 1
    assert len(shop.alerts()) == 1
    assert shop.score(deal, "CSAT") == 2


@pytest.mark.long  # by day tests/flows tells it
@ON_SQLITE
def test_nobody_is_asked_on_who_has_just_complained(shop: Company) -> None:
    shop.start(survey=TWO_QUESTIONS)
    deal = shop.won_deal()
    shop.wait_for_question()
    shop.ivan_writes("2, не перезванивал")
    complaint = the_complaint(shop)
    until(lambda: shop.value(deal, "Опрос") == "Не спросили: открыта рекламация")
    shop.wait_until_idle()
    assert len(shop.to_ivan()) == 2
    assert the_complaint(shop) == complaint


@pytest.mark.long  # by day tests/flows tells it
@ON_SQLITE
def test_the_head_takes_it_and_solves_it(shop: Company) -> None:
    shop.start()
    deal = shop.won_deal()
    shop.wait_for_question()
    shop.ivan_writes("1, всё плохо")
    complaint = the_complaint(shop)["id"]
    shop.telegram.do("tap", who="Анна", button="Беру")
    until(lambda: "Взято: Анна" in shop.alerts()[0]["text"])
    shop.telegram.do("tap", who="Анна", button="Решено")
    until(lambda: shop.complaints()[0]["status_id"] == 142, "the complaint closed as won")
    shop.wait_until_idle()
    assert [task["is_completed"] for task in shop.tasks(complaint)] == [True]
    assert {"Взято", "Решено"} <= {note.partition(":")[0] for note in shop.notes(complaint)}
    assert shop.score(deal) == 1
