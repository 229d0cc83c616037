"""Who may hear of a complaint, who may take it, and for whom nobody waits."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.telegram_model import Posted
from storage.tables.complaints import Complaint
from tests.world import ANNA, IVAN, ZONE, World, configured
from worker.actions.escalate import look_for_untaken
from worker.flows.act import act

OLEG_ID, BOSS_ID, VERA_ID = 222222222, 333333333, 444444444
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
OLEG = {"telegram_id": OLEG_ID, "name": "Олег", "role": "head", "amocrm_user": "Олег Смирнов"}
VERA = {"telegram_id": VERA_ID, "name": "Вера", "role": "controller"}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
NPS = {"key": "nps", "metric": "nps", "delay": "1bd"}
CSAT = {"key": "csat_manager", "metric": "csat", "delay": "1bd", "subject": "manager"}
AFTER = {
    "key": "solved", "metric": "csat", "trigger": "complaint_closed", "delay": "0s", "field": "Решение",
}  # fmt: skip
SEND = r"(?i)/sendMessage$"
LEAD = r"/api/v4/leads/\d+$"


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def heard(town: World, who: str) -> str:
    return "\n".join(town.in_telegram(who))


def alerts(town: World, who: str) -> list[Posted]:
    return [post for post in town.telegram.messages(who) if "Низкая оценка" in post.text]


async def only_row(town: World) -> Complaint:
    async with town.db.reading() as tx:
        return (await tx.exec(select(Complaint))).one()


async def joined_about_oleg(town: World) -> str:
    """A low NPS, and then a low score of Oleg himself; gives the message that asked for the latter."""
    joins(town, Олег=OLEG_ID, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    await town.ivan_writes("1, и грубил", quote=csat)
    return csat


# --- a score that joins is about somebody who has the alert ---------------------------------

ABOUT_OLEG = {"survey": [NPS, CSAT], "staff": [OLEG, BOSS]}


@configured(ABOUT_OLEG)
async def test_a_score_that_joins_is_told_to_somebody_else_than_whom_it_is_about(town: World) -> None:
    csat = await joined_about_oleg(town)
    await town.ivan_writes("требовал наличные", quote=csat)
    assert len(alerts(town, "Олег")) == 1, "the score about the order was his to hear"
    for words in ("грубил", "наличные", "Оценка менеджера"):
        assert words not in heard(town, "Олег")
        assert words in heard(town, "Босс")
    (alert,) = alerts(town, "Босс")
    assert "Беру" in alert.labels
    joined = next(post for post in town.telegram.messages("Босс") if "грубил" in post.text)
    assert joined.reply_to == alert.message_id


@configured(ABOUT_OLEG)
@pytest.mark.parametrize("button", ["Беру", "Решено", "Позвонить позже"])
async def test_whom_a_low_score_is_about_cannot_take_the_complaint(town: World, button: str) -> None:
    await joined_about_oleg(town)
    tap = await town.taps(button, "Олег")
    assert town.telegram.taps[tap].answer == "Этой рекламацией займётся другой руководитель."
    row = await only_row(town)
    assert (row.taken_by, row.closed_at, row.call_later_at) == ("", None, None)
    (lead,) = town.complaints()
    assert town.amocrm.users[lead.responsible_user_id].name != "Олег Смирнов"
    tap = await town.taps("Беру", "Босс")
    assert town.telegram.taps[tap].answer.startswith("Взято: Босс")
    assert "Взято" not in heard(town, "Олег")


@configured(ABOUT_OLEG)
async def test_that_nobody_takes_it_is_not_told_to_whom_it_is_about(town: World) -> None:
    await joined_about_oleg(town)
    await town.later(hours=1)
    await town.later(hours=1)
    assert "никто не взял" in heard(town, "Босс")
    assert "никто не взял" not in heard(town, "Олег")


@configured({**ABOUT_OLEG, "alerts": {"quiet_hours": "21:00-08:00"}})
async def test_an_alert_that_waited_for_the_morning_is_not_for_whom_a_score_is_about_that_joined_meanwhile(
    town: World,
) -> None:
    joins(town, Олег=OLEG_ID, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.at(datetime(2026, 9, 8, 22, 0, tzinfo=ZONE))
    await town.ivan_writes("2, долго", quote=nps)
    await town.ivan_writes("1, и грубил", quote=csat)
    await town.at(datetime(2026, 9, 9, 8, 0, tzinfo=ZONE))
    assert alerts(town, "Олег") == []
    assert len(alerts(town, "Босс")) == 1


@configured(ABOUT_OLEG)
async def test_a_try_that_failed_between_the_alert_and_the_word_under_it_is_made_up_for(town: World) -> None:
    joins(town, Олег=OLEG_ID, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("9")
    await town.ivan_writes("4")
    nps, csat = (message.id_message for message in town.whatsapp.messages(IVAN)[:2])
    await town.ivan_writes("2, долго", quote=nps)
    town.telegram.faults.add(SEND, nth=2, status=429)
    await town.ivan_writes("1, и грубил", quote=csat)
    await town.later(minutes=10)
    assert len(alerts(town, "Босс")) == 1
    assert heard(town, "Босс").count("грубил") == 1


# --- who has left ---------------------------------------------------------------------------


@configured({"staff": [HEAD, BOSS]})
async def test_who_has_left_the_company_hears_nothing_more_and_somebody_else_does(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("2, ужас")
    before = town.to_anna()
    await town.restart(staff=[BOSS])
    await town.ivan_writes("Мой номер 89140001122, звоните Ольге")
    assert town.to_anna() == before, "neither a word nor an edit"
    (alert,) = alerts(town, "Босс")
    assert "Беру" in alert.labels
    assert "звоните Ольге" in town.in_telegram("Босс")[-1]
    await town.ivan_writes("и побыстрее")
    assert "и побыстрее" in town.in_telegram("Босс")[-1]
    assert len(alerts(town, "Босс")) == 1
    assert town.to_anna() == before


@configured({"staff": [HEAD, BOSS]})
async def test_who_leads_no_more_hears_nothing_more(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("2, ужас")
    before = town.to_anna()
    await town.restart(staff=[{**HEAD, "role": "manager"}, BOSS])
    await town.ivan_writes("звоните Ольге")
    assert town.to_anna() == before
    assert "звоните Ольге" in town.in_telegram("Босс")[-1]


@configured({"staff": [HEAD, BOSS]})
async def test_words_reach_somebody_though_the_only_one_alerted_has_blocked_the_bot(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("2, ужас")
    town.telegram.block("Анна")
    await town.ivan_writes("звоните Ольге")
    assert len(alerts(town, "Босс")) == 1
    assert "звоните Ольге" in town.in_telegram("Босс")[-1]


# --- a bad solution -------------------------------------------------------------------------


def has_field_for_solutions(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field("Решение", "numeric")


def solution_asked(**more: Any) -> pytest.MarkDecorator:
    return configured({"survey": [NPS, AFTER], **more}, before=has_field_for_solutions)


@solution_asked(staff=[HEAD, BOSS])
@pytest.mark.parametrize(
    ("words", "said"),
    [("2, так и не приехали", "Клиент недоволен решением"), ("Со мной никто не связался", "не связались")],
    ids=["low", "uncalled"],
)
async def test_a_bad_solution_is_told_above_the_head_who_closed_it(
    town: World, words: str, said: str
) -> None:
    joins(town, Босс=BOSS_ID)
    await town.asked()
    await town.ivan_writes("3, долго")
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    await town.ivan_writes(words)
    for who in ("Анна", "Босс"):
        assert len([text for text in town.in_telegram(who) if said in text]) == 1, who


@solution_asked(staff=[HEAD, BOSS, VERA], complaints={"escalate_to": "Вера"})
async def test_a_bad_solution_is_told_to_whom_the_config_names(town: World) -> None:
    joins(town, Босс=BOSS_ID, Вера=VERA_ID)
    await town.asked()
    await town.ivan_writes("3, долго")
    await town.taps("Решено", "Анна")
    await town.later(minutes=5)
    await town.ivan_writes("1, так и не приехали")
    told = [who for who in ("Анна", "Босс", "Вера") if "недоволен решением" in heard(town, who)]
    assert told == ["Анна", "Вера"]


# --- who may press --------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["controller", "manager", "admin"])
@pytest.mark.parametrize(
    "config", [{"staff": [HEAD, {**VERA, "amocrm_user": "Олег Смирнов"}]}], ids=["configured"]
)
async def test_who_does_not_lead_presses_in_vain(town: World, role: str) -> None:
    joins(town, Вера=VERA_ID)
    await town.restart(staff=[HEAD, {**VERA, "role": role, "amocrm_user": "Олег Смирнов"}])
    await town.asked()
    await town.ivan_writes("2, долго")
    (alert,) = alerts(town, "Анна")
    # Forwarded messages carry no buttons; somebody makes one up, or had it while heading.
    town.telegram.posted.append(
        Posted(
            message_id=9_000, chat_id=VERA_ID, by_bot=True, text="Рекламация", at=town.clock.now(),
            markup=alert.markup,
        )
    )  # fmt: skip
    for button in ("Беру", "Позвонить позже", "Решено"):
        tap = await town.taps(button, "Вера")
        assert town.telegram.taps[tap].answer == "С рекламациями работают руководители."
    row = await only_row(town)
    assert (row.taken_by, row.closed_at, row.call_later_at) == ("", None, None)


# --- amoCRM hangs ---------------------------------------------------------------------------


def number(place: int) -> str:
    return f"+791400002{place:02}"


async def three_unhappy(town: World) -> None:
    for place in range(3):
        town.amocrm.close_lead(town.deal([town.contact(f"Клиент {place}", number(place))]))
    await town.step()
    await town.next_morning()
    for place in range(3):
        town.whatsapp.says(number(place), "2, долго")
    await town.step(pulls=False)


@configured({"staff": [HEAD, BOSS]})
async def test_of_an_amocrm_that_does_not_answer_is_asked_for_one_complaint_only(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await three_unhappy(town)
    town.amocrm.faults.add(LEAD, method="GET", times=0, status=502)
    before = len(town.amocrm.requests)
    town.clock.advance(timedelta(hours=1, minutes=1))
    await town.app.step(pulls=False)
    paths = [request.path for request in town.amocrm.requests[before:] if request.method == "GET"]
    assert len({path for path in paths if re.search(LEAD, path)}) == 1
    assert heard(town, "Анна").count("никто не взял") == 3


@configured({"staff": [HEAD, BOSS]})
async def test_alerts_do_not_wait_until_amocrm_has_told_of_complaints_that_nobody_takes(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await three_unhappy(town)
    fault = town.amocrm.faults.add(LEAD, method="GET", times=0, status=502)
    town.clock.advance(timedelta(hours=1, minutes=1))
    assert await look_for_untaken(town.app.hands) == 3
    await act(town.app.hands, "staff")
    assert fault.seen == 0
    await town.app.step(pulls=False)
    assert fault.seen > 0
    assert heard(town, "Анна").count("никто не взял") == 3


# --- at night -------------------------------------------------------------------------------


@configured({"staff": [HEAD, BOSS], "alerts": {"quiet_hours": "21:00-08:00"}})
async def test_who_wants_to_be_forgotten_wakes_nobody(town: World) -> None:
    joins(town, Босс=BOSS_ID)
    await town.asked()
    await town.at(datetime(2026, 9, 8, 23, 0, tzinfo=ZONE))
    before = town.in_telegram("Босс")
    await town.ivan_writes("удалите мои данные")
    await town.at(datetime(2026, 9, 9, 7, 59, tzinfo=ZONE))
    assert town.in_telegram("Босс") == before
    await town.at(datetime(2026, 9, 9, 8, 0, tzinfo=ZONE))
    assert len(town.in_telegram("Босс")) == len(before) + 1
