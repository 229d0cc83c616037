"""The worker is killed while it does what staff want: passes on, writes down, answers, invites, credits."""

import json
from typing import Any

import pytest

from tests.faults import points
from tests.faults.laws import Laws
from tests.faults.points import MOMENTS, Moment, When, has_died
from tests.stories.company import ANNA, ON_SQLITE, until

# Many starts, perhaps on a busy machine. What turns on the database is killed in test_killed.py on both.
pytestmark = [pytest.mark.timeout(900), ON_SQLITE]

Json = dict[str, Any]

BORIS, OLEG_IN_AMOCRM = "Борис", 77
ONCE = (1, 2)  # what is told at least once: each kill may repeat it
STAFF: list[Json] = [
    {"telegram_id": 111111111, "name": ANNA, "role": "head", "amocrm_user": "Мария Ким"},
    {"telegram_id": 222222222, "name": BORIS, "role": "manager", "amocrm_user": "Олег Смирнов"},
]
REWARD = {"notify_referrer": True, "reward": "Вам скидка на обслуживание."}
CODE, FRIENDS_CODE = "Промокод для друзей", "Промокод друга"
# What «Передать» and a name under it do: the choice, who is responsible for deal and task, note, both alerts.
OF_PASSING_ON = [
    points.BUTTONS, points.COMPLAINT_CHANGED, points.TASK_CHANGED, points.NOTE, points.ALERT_CHANGED,
    points.ALERT,
]  # fmt: skip
OF_SOLVING = [points.COMPLAINT_CHANGED, points.TASK_CHANGED, points.NOTE, points.ALERT]
OF_A_RESULT = [points.NOTE, points.TASK_CHANGED, points.ALERT]
OF_WORDS = [points.TASK, points.ALERT]
OF_AN_ANSWER = [points.WORDS, points.NOTE, points.BUTTONS, points.ALERT]


@pytest.fixture(autouse=True)
def started(laws: Laws) -> None:
    shop = laws.shop
    shop.telegram.do("person", who=BORIS, user_id=222222222)
    shop.telegram.do("start", who=BORIS)
    shop.start(staff=STAFF, referral=REWARD)
    shop.wait_until_ready()
    shop.wait_until_idle()


def restarted(laws: Laws) -> None:
    """It has been killed; nothing goes wrong outside any more, it is back and has done all."""
    has_died(laws.shop)
    laws.shop.start()
    laws.shop.wait_until_ready()
    settled(laws)


def settled(laws: Laws) -> None:
    laws.shop.wait_until_heard()
    laws.shop.wait_until_idle()


def asked(laws: Laws, **more: Any) -> int:
    deal = laws.asked(**more)
    until(lambda: laws.shop.value(deal, CODE), "the mark of a deal that was asked")
    settled(laws)
    return deal


def complained(laws: Laws) -> int:
    """A deal whose client gave a 3; everything that follows from it is done."""
    deal = asked(laws)
    laws.replies(deal, 3)
    until(lambda: laws.complaints_of(laws.clients[deal]), "the complaint")
    until(lambda: alert_of(laws, deal), "the alert")
    settled(laws)
    return deal


def alert_of(laws: Laws, deal: int) -> Json:
    name = laws.clients[deal].name
    return next((alert for alert in laws.shop.alerts() if name in alert["text"]), {})


def labels(message: Json) -> list[str]:
    rows = (message.get("markup") or {}).get("inline_keyboard", ())
    return [button["text"] for row in rows for button in row]


def presses(laws: Laws, deal: int, button: str) -> int:
    """Anna does, under the alert of this deal; gives the complaint's number."""
    until(lambda: button in labels(alert_of(laws, deal)), f"«{button}»")
    alert = alert_of(laws, deal)
    laws.shop.telegram.do("tap", who=ANNA, button=button, message_id=alert["message_id"])
    return int(alert["markup"]["inline_keyboard"][0][0]["callback_data"].split(":")[1])


def complaint_of(laws: Laws, deal: int) -> Json:
    """As it stands in amoCRM: one."""
    [number] = laws.complaints_of(laws.clients[deal])
    return next(one for one in laws.shop.complaints() if one["id"] == number)


def told(laws: Laws, who: str, *words: str) -> list[Json]:
    """What the bot wrote to this person in which all of this stands."""
    return [one for one in laws.shop.bot_wrote(who) if all(word in one["text"] for word in words)]


# --- complaints --------------------------------------------------------------------------------------------


@MOMENTS
def test_killed_while_a_complaint_is_passed_on_it_is_the_others_once(laws: Laws, moment: Moment) -> None:
    """One responsible, one task, one note; whoever got it hears of it at least once."""
    when, delay = moment
    for point in OF_PASSING_ON:
        deal = complained(laws)
        if point is points.BUTTONS:
            point.kills(laws.shop, when, delay=delay)
            presses(laws, deal, "Передать")
            restarted(laws)
            presses(laws, deal, BORIS)
        else:
            presses(laws, deal, "Передать")
            until(lambda: BORIS in labels(alert_of(laws, deal)), "the choice")  # noqa: B023
            settled(laws)
            point.kills(laws.shop, when, delay=delay)
            presses(laws, deal, BORIS)
            restarted(laws)
        until(lambda: told(laws, BORIS, laws.clients[deal].name), "word to the other")  # noqa: B023
        settled(laws)
    laws.hold(kills=len(OF_PASSING_ON), uncertain=0)
    for deal, client in laws.clients.items():
        complaint = complaint_of(laws, deal)
        [task] = laws.shop.tasks(complaint["id"])
        assert (complaint["responsible_user_id"], task["responsible_user_id"]) == (OLEG_IN_AMOCRM,) * 2
        assert not task["is_completed"]
        assert sum(note.startswith("Передано: Борис") for note in laws.shop.notes(complaint["id"])) == 1
        assert alert_of(laws, deal)["text"].count("Передано: Борис") == 1
        assert len(told(laws, BORIS, client.name)) in ONCE


def answers_what_was_done(laws: Laws, deal: int, question: Json) -> None:
    laws.shop.telegram.do("says", who=ANNA, text=f"Заменили мотор {deal}", reply_to=question["message_id"])


def questions_about(laws: Laws, number: int) -> list[Json]:
    return told(laws, ANNA, f"№ {number}. Что сделали?")


@MOMENTS
def test_killed_at_solved_and_at_what_was_done_it_stands_in_the_deal_once(laws: Laws, moment: Moment) -> None:
    """The complaint is closed and its task done; each press and each answer is one note."""
    when, delay = moment
    numbers = {}
    for point in OF_SOLVING:
        deal = complained(laws)
        point.kills(laws.shop, when, delay=delay)
        numbers[deal] = presses(laws, deal, "Решено")
        restarted(laws)
        question = until(lambda: questions_about(laws, numbers[deal]), "the question")[-1]  # noqa: B023
        answers_what_was_done(laws, deal, question)
        until(lambda: told(laws, ANNA, f"№ {numbers[deal]}: записали"), "that it was kept")  # noqa: B023
    for point in OF_A_RESULT:
        deal = complained(laws)
        numbers[deal] = presses(laws, deal, "Решено")
        [question] = until(lambda: questions_about(laws, numbers[deal]), "the question")  # noqa: B023
        settled(laws)
        point.kills(laws.shop, when, delay=delay)
        answers_what_was_done(laws, deal, question)
        restarted(laws)
    laws.hold(kills=len(numbers), uncertain=0)
    for deal, number in numbers.items():
        complaint = complaint_of(laws, deal)
        [task] = laws.shop.tasks(complaint["id"])
        notes = laws.shop.notes(complaint["id"])
        assert (complaint["status_id"], task["is_completed"]) == (142, True)
        assert sum(note.startswith("Решено") for note in notes) == 1
        assert sum(f"Заменили мотор {deal}" in note for note in notes) == 1
        assert len(questions_about(laws, number)) in ONCE
        assert len(told(laws, ANNA, f"№ {number}: записали")) in ONCE


# --- words of clients --------------------------------------------------------------------------------------


def writes(laws: Laws, deal: int, text: str) -> None:
    laws.shop.whatsapp.do("says", who=laws.clients[deal].phone, text=text)


def words_of(laws: Laws, deal: int) -> list[Json]:
    """Words of this deal's client as Anna was shown them."""
    return told(laws, ANNA, "пишет (WhatsApp)", laws.clients[deal].name)


def replies_to(laws: Laws, deal: int) -> int:
    """How often the client got what Anna wrote."""
    return laws.to_client(deal).count(f"ВладАвтоматика: Олег приедет {deal}")


def answers(laws: Laws, deal: int, message: Json) -> None:
    laws.shop.telegram.do("says", who=ANNA, text=f"Олег приедет {deal}", reply_to=message["message_id"])


@MOMENTS
def test_killed_at_a_clients_words_they_are_shown_and_are_one_task(laws: Laws, moment: Moment) -> None:
    when, delay = moment
    for point in OF_WORDS:
        deal = asked(laws)
        point.kills(laws.shop, when, delay=delay)
        writes(laws, deal, "когда приедет мастер?")
        restarted(laws)
        answers(laws, deal, until(lambda: words_of(laws, deal))[-1])  # noqa: B023
        until(lambda: replies_to(laws, deal), "the answer of staff")  # noqa: B023
    laws.hold(kills=len(OF_WORDS), uncertain=0)
    for deal in laws.clients:
        assert len(words_of(laws, deal)) in ONCE
        assert replies_to(laws, deal) == 1
        assert len(laws.shop.tasks(deal)) == 1


@MOMENTS
def test_killed_at_an_answer_of_staff_the_client_gets_it_once_or_staff_hear_of_the_doubt(
    laws: Laws, moment: Moment
) -> None:
    """At most once; who wrote it is told either way, and one note tells of it."""
    when, delay = moment
    for point in OF_AN_ANSWER:
        deal = asked(laws)
        writes(laws, deal, "когда приедет мастер?")
        shown = until(lambda: words_of(laws, deal))[-1]  # noqa: B023
        settled(laws)
        before = len(told(laws, ANNA, "Отправлено")) + len(told(laws, ANNA, "не подтвердил"))
        point.kills(laws.shop, when, delay=delay)
        answers(laws, deal, shown)
        restarted(laws)
        sure, unsure = (len(told(laws, ANNA, word)) for word in ("Отправлено", "не подтвердил"))
        assert sure + unsure - before in ONCE
        assert replies_to(laws, deal) == (0 if point is points.WORDS and when == "arrived" else 1)
        assert replies_to(laws, deal) or told(laws, ANNA, "не подтвердил")
        until(lambda: labels(words_of(laws, deal)[-1])[0].startswith("Ответили: Анна"))  # noqa: B023
        assert sum(f"Олег приедет {deal}" in note for note in laws.shop.notes(deal)) == 1
    laws.hold(kills=len(OF_AN_ANSWER), uncertain=0)


# --- who recommends ----------------------------------------------------------------------------------------

TO_A_REFERRER = [(points.NOTE, 1), (points.NOTE, 2), (points.TASK, 1), (points.WORDS, 1)]


@MOMENTS
def test_killed_at_a_recommendation_it_is_noted_once_and_paid_once(laws: Laws, moment: Moment) -> None:
    """One note on each deal, one task, and no word to the referrer twice."""
    when, delay = moment
    home = asked(laws)
    code, friends = laws.shop.value(home, CODE), []
    for point, nth in TO_A_REFERRER:
        point.kills(laws.shop, when, nth=nth, delay=delay)
        friends.append(laws.won_deal(fields={FRIENDS_CODE: code}))
        restarted(laws)
        until(lambda: laws.shop.tasks(friends[-1]), "the task")
        laws.wait_for_question(friends[-1])
        settled(laws)
    laws.hold(kills=len(friends), uncertain=len(friends))
    at_home = laws.shop.notes(home)
    for deal in friends:
        assert sum("по рекомендации" in note for note in laws.shop.notes(deal)) == 1
        [task] = laws.shop.tasks(deal)
        assert "Начислить вознаграждение" in task["text"]
        assert sum(f"«Ворота № {laws.clients[deal].number}»" in note for note in at_home) == 1
    thanks = sum("советуете нас" in text for text in laws.to_client(home))
    assert thanks == len(friends) - (when == "arrived")


# --- people ------------------------------------------------------------------------------------------------

AT_AN_INVITATION: list[tuple[points.Point, When, int]] = [
    (points.TAP, "processed", 1),
    (points.TAP, "answered", 1),
    (points.TAP, "arrived", 2),  # on disk, and not confirmed
    (points.ALERT, "arrived", 1),
    (points.ALERT, "processed", 1),
    (points.ALERT, "answered", 1),
]


def test_killed_while_somebody_joins_by_a_link_they_are_staff_once_and_greeted(laws: Laws) -> None:
    shop = laws.shop
    for number, (point, when, nth) in enumerate(AT_AN_INVITATION):
        name = f"Новый{number}"
        made = shop.sarafan("staff", "invite", "--role", "head", "--name", name, "--json")
        assert made.returncode == 0, made.stderr
        [link] = json.loads(made.stdout)["links"]
        token = str(link["url"]).partition("?start=")[2]
        shop.private.add(token)
        point.kills(shop, when, nth=nth)
        if point is points.TAP:  # The poll that waits there already is not the one that is counted.
            before = point.times(shop)
            shop.telegram.do("start", who="Прохожий")
            until(lambda: point.times(shop) > before, "another poll")  # noqa: B023
        shop.telegram.do("start", who=f"Человек {number}", token=token)
        restarted(laws)
        until(lambda: told(laws, f"Человек {number}", "вы подключены"), "the greeting")  # noqa: B023
        shop.telegram.do("start", who=f"Чужой {number}", token=token)
        until(lambda: shop.bot_wrote(f"Чужой {number}"), "what a stranger is told")  # noqa: B023
        assert len(told(laws, f"Человек {number}", "вы подключены")) in ONCE
        assert not told(laws, f"Чужой {number}", "вы подключены")
    listed = json.loads(shop.sarafan("staff", "--json").stdout)
    names = [one["name"] for one in listed]
    assert sorted(names) == sorted([ANNA, BORIS, *(f"Новый{n}" for n in range(len(AT_AN_INVITATION)))])
