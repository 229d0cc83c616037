"""The worker is killed at what the calendar brings staff: digests, the morning's message, cards of calls; and
at complaints that it follows, and at words whose time is over."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.faults import points
from tests.faults.clock import MovedClocks
from tests.faults.laws import Laws
from tests.faults.points import MOMENTS, Moment, Point, When, has_died
from tests.stories.company import ANNA, ON_SQLITE, Company, until
from tests.stories.conftest import _watched

pytestmark = [pytest.mark.timeout(900), ON_SQLITE]  # a server of PostgreSQL keeps a time of its own

ZONE = ZoneInfo("Asia/Vladivostok")
CODE, OLEG = "Промокод для друзей", 77
BOSS, VERA, INNA = "Босс", "Вера", "Инна"
IDS = {ANNA: 111111111, BOSS: 333333333, VERA: 444444444, INNA: 555555555}
ROLES = {ANNA: "head", BOSS: "owner", VERA: "controller", INNA: "controller"}
ONCE = (1, 2)  # what is told at least once: each kill may repeat it
RECORDING = re.compile(r"/rec/(\d+)")


@pytest.fixture
def shop(clocks: MovedClocks, tmp_path: Path, db_url: str) -> Iterator[Company]:
    """A company that lives by these clocks as a whole."""
    for made in _watched(tmp_path, db_url):
        for name, number in IDS.items():
            made.telegram.do("person", who=name, user_id=number)
            made.telegram.do("start", who=name)
        yield made


def staff(*names: str) -> list[dict[str, Any]]:
    return [{"telegram_id": IDS[name], "name": name, "role": ROLES[name]} for name in names]


def restarted(laws: Laws) -> None:
    has_died(laws.shop)
    laws.shop.start()
    laws.shop.wait_until_ready()


def has_run(laws: Laws, clocks: MovedClocks, flow: str) -> None:
    """From its beginning, since now."""
    since = clocks.now().timestamp()
    laws.shop.wait_until_ready()
    until(
        lambda: laws.shop.metric("sarafan_last_success_timestamp_seconds", f'flow="{flow}"') > since,
        f"a run of {flow}",
    )
    laws.shop.wait_until_idle()


def asked(laws: Laws, **more: Any) -> int:
    deal = laws.asked(**more)
    until(lambda: laws.shop.value(deal, CODE), "the mark of a deal that was asked")
    laws.shop.wait_until_heard()
    laws.shop.wait_until_idle()
    return deal


# --- digests -----------------------------------------------------------------------------------------------

KINDS = {"Коллеги, итоги": "letter", "Выиграно сделок": "quarter", "За месяц": "digest"}
WANTED = {*((who, kind) for who in (ANNA, BOSS) for kind in ("digest", "letter")), (BOSS, "quarter")}


def quarter_begins(today: date) -> date:
    """The first of the next one, not in the next two days."""
    day = today + timedelta(days=3)
    while day.day != 1 or day.month % 3 != 1:
        day += timedelta(days=1)
    return day


def read_by_staff(laws: Laws) -> Counter[tuple[str, str]]:
    """Who got what, and how often."""
    return Counter(
        (who, kind)
        for who in (ANNA, BOSS)
        for message in laws.shop.bot_wrote(who)
        for words, kind in KINDS.items()
        if words in message["text"]
    )


@MOMENTS
def test_killed_at_digests_each_is_read_by_everybody_once(
    laws: Laws, clocks: MovedClocks, moment: Moment
) -> None:
    """Of the month and the quarter, with the letter: each kill may repeat the one that was on its way."""
    shop, (when, delay) = laws.shop, moment
    first = datetime.combine(quarter_begins(clocks.now().date()), time(10, 1), ZONE)
    clocks.pass_until(first - timedelta(days=2))
    shop.start(staff=staff(ANNA, BOSS), reports={"monthly": "1 10:00", "min_answers": 1})
    # Of two managers, one of them praised, by a recommendation: there is something to draw.
    praised = asked(laws, fields={"Скидка": "Скидка от друга 5%"}, price=50_000)
    thanks = f"10, {laws.clients[praised].words}"
    laws.said[shop.whatsapp.do("says", who=laws.clients[praised].phone, text=thanks)] = (praised, 10)
    laws.replies(asked(laws, responsible="Мария Ким"), 8)
    laws.hold(uncertain=0)
    shop.stop()
    clocks.pass_until(first)
    for _ in WANTED:  # Each start begins with another one: what was on its way is due last.
        shop.start()
        points.DIGEST.kills(shop, when, delay=delay)  # before it has read its settings
        has_died(shop)
    shop.start()
    has_run(laws, clocks, "follow")
    read = read_by_staff(laws)
    assert set(read) == WANTED
    assert read.total() <= len(WANTED) + (0 if when == "arrived" else len(WANTED))
    shop.restart()
    has_run(laws, clocks, "follow")
    assert read_by_staff(laws) == read
    laws.nobody_was_asked_twice()
    laws.the_pace_was_kept()
    laws.nothing_private_was_told()


# --- the morning's message ---------------------------------------------------------------------------------

MORNING = "Рекламации на"
HEADS = [{**one, "role": "head"} for one in staff(ANNA, INNA)]


def monday_to_come(now: datetime) -> date:
    """That of the week after the next."""
    return now.astimezone(ZONE).date() + timedelta(days=14 - now.astimezone(ZONE).weekday())


def mornings_read(laws: Laws) -> Counter[tuple[str, str]]:
    """Who read of which day, and how often."""
    return Counter(
        (who, message["text"].splitlines()[0])
        for who in (ANNA, INNA)
        for message in laws.shop.bot_wrote(who)
        if message["text"].startswith(MORNING)
    )


@MOMENTS
def test_killed_at_the_mornings_message_each_head_reads_of_each_day(
    laws: Laws, clocks: MovedClocks, moment: Moment
) -> None:
    """The kill may repeat the one that was on its way; the next day has its own."""
    shop, (when, delay) = laws.shop, moment
    monday = monday_to_come(clocks.now())
    clocks.pass_until(datetime.combine(monday, time(12, 0), ZONE))
    shop.start(staff=HEADS, reports={"daily": "09:00"}, company={"holidays": ""})
    deal = asked(laws)
    laws.replies(deal, 3)
    [alert] = until(shop.alerts, "the alert")
    shop.telegram.do("tap", who=ANNA, button="Беру", message_id=alert["message_id"])
    until(lambda: "Взято: " in text_of(laws, ANNA, alert["message_id"]), "who took it")
    laws.hold(uncertain=0)
    shop.stop()
    for day in (1, 2):
        clocks.pass_until(datetime.combine(monday + timedelta(days=day), time(9, 1), ZONE))
        if day == 1:
            shop.start()
            points.ALERT.kills(shop, when, delay=delay)  # before it has read its settings
            has_died(shop)
        shop.start()
        has_run(laws, clocks, "follow")
        shop.restart()
        has_run(laws, clocks, "follow")
        read = mornings_read(laws)
        assert set(Counter(who for who, _ in read).values()) == {day}, "of each day, each of them"
        assert len(read) == len(HEADS) * day
        assert read.total() <= len(read) + (when != "arrived")
        for who in (ANNA, INNA):
            assert laws.clients[deal].name in shop.bot_wrote(who)[-1]["text"]
        shop.stop()
    shop.start()
    shop.wait_until_ready()
    laws.hold(uncertain=0)


# --- calls -------------------------------------------------------------------------------------------------


# The page of calls once before and once after it is there, and two cards at the moment in question.
AT_CARDS: list[tuple[Point, When | None]] = [
    (points.CALLS, "arrived"), (points.CALLS, "answered"), (points.ALERT, None), (points.ALERT, None)
]  # fmt: skip


def cards(laws: Laws) -> Counter[tuple[str, str]]:
    """Which recordings each controller was given, and how often."""
    return Counter(
        (who, found[1])
        for who in (VERA, INNA)
        for message in laws.shop.bot_wrote(who)
        if (found := RECORDING.search(message["text"]))
    )


@MOMENTS
def test_killed_at_the_draw_and_at_cards_each_call_has_one_of_each_controller(
    laws: Laws, clocks: MovedClocks, moment: Moment
) -> None:
    """Five calls, of which one is scored by two; each tap and each comment is kept once."""
    shop, (when, delay) = laws.shop, moment
    monday = datetime.combine(monday_to_come(clocks.now()), time(10, 0), ZONE)
    clocks.pass_until(monday - timedelta(days=3))
    shop.start(staff=staff(ANNA, VERA, INNA), iqs={"calls_per_week": 5})
    deal = asked(laws)
    for number in range(7):
        params = {
            "uniq": f"pbx-{number}", "duration": 125, "link": f"https://pbx.example/rec/{number}.mp3"
        }  # fmt: skip
        shop.amocrm.do("add_note", kind="leads", entity_id=deal, note_type="call_in", params=params, by=OLEG)
    shop.stop()
    clocks.pass_until(monday)
    for point, at in AT_CARDS:
        shop.start()
        point.kills(shop, at or when, delay=delay)  # before it has read its settings
        has_died(shop)
    shop.start()
    until(lambda: len(cards(laws)) == 6, "six cards")
    has_run(laws, clocks, "observe")
    given = cards(laws)
    assert len({recording for _, recording in given}) == 5
    assert len(given) == 6
    assert given.total() <= 6 + (0 if when == "arrived" else 2)

    who, recording = min(given)
    card = [one for one in shop.bot_wrote(who) if f"/rec/{recording}." in one["text"]][-1]["message_id"]
    points.ALERT_CHANGED.kills(shop, when, delay=delay)
    shop.telegram.do("tap", who=who, button="1", message_id=card)
    restarted(laws)
    for step in (2, 3, 4):
        until(lambda: f"{step} из 4" in text_of(laws, who, card), f"step {step}")  # noqa: B023
        shop.telegram.do("tap", who=who, button="1", message_id=card)
    until(lambda: "Оценка: 100 из 100" in text_of(laws, who, card), "the score")
    shop.wait_until_idle()
    points.ALERT.kills(shop, when, delay=delay)
    shop.telegram.do("says", who=who, text="вежлив", reply_to=card)
    restarted(laws)
    until(lambda: "вежлив" in text_of(laws, who, card), "the comment")
    shop.wait_until_idle()
    kept = [message for message in shop.bot_wrote(who) if message["text"] == "Комментарий записан."]
    assert len(kept) in ONCE
    assert whole_report(laws)["iqs"]["reviews"] == 1
    laws.hold(uncertain=0)


def text_of(laws: Laws, who: str, message_id: int) -> str:
    [message] = [one for one in laws.shop.bot_wrote(who) if one["message_id"] == message_id]
    return str(message["text"])


def whole_report(laws: Laws) -> dict[str, Any]:
    done = laws.shop.sarafan("report", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- complaints that people move ---------------------------------------------------------------------------


@MOMENTS
def test_killed_while_it_follows_complaints_each_turn_is_told_and_counted_once(
    laws: Laws, clocks: MovedClocks, moment: Moment
) -> None:
    """Taken by a move from stage to stage, closed and opened again between two looks."""
    shop, (when, delay) = laws.shop, moment
    shop.start()
    shop.wait_until_ready()
    for point in (points.EVENTS, points.PAGE):
        deal = asked(laws)
        laws.replies(deal, 3)
        [lead] = until(lambda: laws.complaints_of(laws.clients[deal]), "the complaint")  # noqa: B023
        name = laws.clients[deal].name
        alert = until(lambda: [one for one in shop.alerts() if name in one["text"]], "the alert")[0]  # noqa: B023
        shop.wait_until_idle()
        point.kills(shop, when, delay=delay)
        shop.amocrm.do("move_lead", lead_id=lead, status="В работе")
        restarted(laws)
        until(lambda: "Взято: Олег Смирнов" in text_of(laws, ANNA, alert["message_id"]), "who took it")  # noqa: B023
        has_run(laws, clocks, "observe")  # It reads events too.
        point.kills(shop, when, delay=delay)
        shop.amocrm.do("close_lead", lead_id=lead)
        shop.amocrm.do("move_lead", lead_id=lead, status="Новая")
        restarted(laws)
        has_run(laws, clocks, "observe")
        has_run(laws, clocks, "pull")
        assert text_of(laws, ANNA, alert["message_id"]).count("Взято: Олег Смирнов") == 1
    of = whole_report(laws)["complaints"]
    assert (of["opened"], of["open_now"], of["reopened"]) == (2, 2, 2)
    laws.hold(kills=4, uncertain=0)


# --- words whose time is over ------------------------------------------------------------------------------

SOON_KILLED = (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # seconds after it is up


def everything_kept(shop: Company) -> str:
    """All rows of all tables, as one text."""
    path = str(shop.config["storage"]["url"]).removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in db.execute(f'SELECT * FROM "{table}"')]  # noqa: S608
    db.close()
    return "\n".join(
        value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        for row in rows
        for value in row
    )


def test_killed_while_old_words_go_all_of_them_go_and_no_others(laws: Laws, clocks: MovedClocks) -> None:
    shop = laws.shop
    shop.start(privacy={"keep_words": "30d"})
    old = [asked(laws) for _ in range(3)]
    for deal in old:
        laws.shop.whatsapp.do("says", who=laws.clients[deal].phone, text=f"9, {laws.clients[deal].words}")
    until(lambda: laws.report()["answered"] == len(old), "their answers")
    shop.wait_until_idle()
    shop.stop()
    clocks.pass_by(40 * 24 * 3600)
    for seconds in SOON_KILLED:
        shop.start()
        until(lambda: shop.web("/healthz"), "a worker that is up")
        sleep(seconds)
        shop.kill()
    shop.start()
    young = asked(laws)
    laws.replies(young, 3)
    until(lambda: laws.complaints_of(laws.clients[young]), "the complaint")
    for _ in range(5):  # Each start takes one step.
        has_run(laws, clocks, "follow")
        shop.restart()
    has_run(laws, clocks, "follow")
    kept = everything_kept(shop)
    gone = [
        text
        for deal in old
        for text in (laws.clients[deal].name, laws.clients[deal].words, laws.clients[deal].phone)
    ]
    assert [text for text in gone if text in kept] == []
    client = laws.clients[young]
    assert [text for text in (client.name, client.words, client.phone) if text not in kept] == []
    assert laws.report("nps")["answered"] >= 1
    assert all(len(laws.questions_to(deal)) == 1 for deal in (*old, young))
    laws.hold(uncertain=0)
