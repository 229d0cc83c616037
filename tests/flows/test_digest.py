"""On Monday: what changed, who needs attention, what to do; once, and to each what is theirs."""

from datetime import datetime
from typing import Any

from integrations.standins.amocrm import AmoCrmStandIn
from tests.world import ANNA, PETR, ZONE, World, configured
from worker.actions.letter import letter_for
from worker.flows.follow import follow
from worker.rules.digest import due_occasion

BOSS_ID, OLEG_ID, CARA_ID, ADA_ID = 333333333, 222222222, 555555555, 666666666
HEAD = {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Мария Ким"}
BOSS = {"telegram_id": BOSS_ID, "name": "Босс", "role": "owner"}
OLEG = {"telegram_id": OLEG_ID, "name": "Олег", "role": "manager", "amocrm_user": "Олег Смирнов"}
CARA = {"telegram_id": CARA_ID, "name": "Клара", "role": "controller"}
ADA = {"telegram_id": ADA_ID, "name": "Ада", "role": "admin"}
WEEKLY: dict[str, Any] = {"daily": "", "weekly": "mon 09:00", "monthly": "1 10:00", "min_answers": 1}
TITLE = "ВладАвтоматика: "


def joins(town: World, **people: int) -> None:
    for name, user_id in people.items():
        town.telegram.start(town.telegram.person(name, user_id=user_id))


def told(town: World, who: str = "Анна") -> list[str]:
    return [text for text in town.in_telegram(who) if text.startswith((TITLE, "Коллеги"))]


async def at(town: World, month: int, day: int, hour: int) -> None:
    town.clock.set(datetime(2026, month, day, hour, 0, tzinfo=ZONE))
    await town.step()
    await follow(town.app.hands)
    await town.step()


@configured({"reports": WEEKLY, "staff": [HEAD, BOSS, OLEG, CARA, ADA]})
async def test_each_hears_once_what_is_theirs(town: World) -> None:
    joins(town, Босс=BOSS_ID, Олег=OLEG_ID, Клара=CARA_ID, Ада=ADA_ID)
    await at(town, 9, 7, 12)
    assert told(town) == [], "nothing has happened yet"
    await town.asked()
    await town.ivan_writes("10, спасибо Олегу")
    await at(town, 9, 14, 8)
    assert told(town) == []
    await at(town, 9, 14, 9)
    assert told(town)[0].startswith(
        "ВладАвтоматика: 7–13 сентября 2026\n"
        "За неделю: ответов 1, низких 0. Рекламаций поступило 0, закрыто 0.\n"
        "\n"
        "NPS +100 (от "
    )
    assert "Никто не выделяется ни вверх, ни вниз.\nСрочных дел нет." in told(town)[0]
    assert told(town)[0].endswith("Оценка — за 90 дней.")
    assert told(town, "Босс") == told(town)
    assert "«спасибо Олегу»" in told(town, "Олег")[0]
    assert "выделяется" not in told(town, "Клара")[0]
    assert told(town, "Ада") == []
    await town.restart()
    await at(town, 9, 14, 15)
    assert [len(told(town, who)) for who in ("Анна", "Босс", "Олег", "Клара")] == [1, 1, 1, 1]
    digest = town.telegram.last("Анна")
    assert digest.labels == ["Таблица", "Все графики"]
    await town.taps("Таблица", "Анна")
    assert told(town)[0] == digest.text, "it stays"
    assert "NPS +100" in town.in_telegram("Анна")[-1]
    town.app.hands.public_url = "https://sarafan.example.com"
    await town.taps("Все графики", "Анна")
    link = town.telegram.last("Анна")
    assert link.labels == ["Открыть страницу"]
    assert "&period=w1" in link.buttons[0]["url"]


@configured({"reports": WEEKLY, "staff": [HEAD, ADA]})
async def test_what_was_missed_is_told_within_a_day_and_the_month_ends_with_thanks(town: World) -> None:
    joins(town, Ада=ADA_ID)
    await town.asked()
    await town.ivan_writes("3, монтаж три недели")
    await at(town, 9, 15, 10)
    assert told(town) == [], "too late"
    await at(town, 9, 22, 8)
    [digest] = told(town)
    assert "Просрочено рекламаций: 1, самая старая — Иван Петров, " in digest
    assert "Начните с неё: https://example.amocrm.ru/leads/detail/" in digest
    await at(town, 10, 1, 11)
    assert len(told(town)) == 2, "the month's digest; there is nobody to thank"
    assert "За месяц: ответов 1, низких 1. Рекламаций поступило 1, закрыто 0." in told(town)[1]
    assert told(town, "Ада") == []


@configured(
    {
        "reports": WEEKLY,
        "staff": [HEAD, ADA],
        "goals": {
            "nps": {"target": 60, "by": "2027-06-30"},
            "referral_share": {"target": 30, "by": "2027-06-30"},
        },
    }
)
async def test_the_letter_of_the_month_thanks_by_name(town: World) -> None:
    joins(town, Ада=ADA_ID)
    await town.asked()
    await town.ivan_writes("10, спасибо Олегу! Сосед: +7 914 555-12-34")
    await at(town, 10, 1, 11)
    letter = "Коллеги, итоги: сентябрь 2026. NPS +100, ответов: 1. Спасибо: Олег Смирнов."
    assert [text for text in told(town) if text.startswith("Коллеги")] == [
        f"{letter}\nКлиенты пишут: «спасибо Олегу! Сосед: +7***1234»"
    ]
    assert told(town, "Ада") == [letter]
    quarter = next(text for text in town.in_telegram("Анна") if "квартал" in text)
    assert quarter.replace("\N{NO-BREAK SPACE}", " ") == (
        "III квартал 2026. Выиграно сделок: 1, по рекомендации: 0 (0 %), на 0 ₽. Кварталом раньше: —."
        "\nРешено рекламаций: 0, в среднем за —; открыто: 0."
    )
    assert "\nЦель: NPS +60 к 30 июня 2027, сейчас +100." in told(town)[0]
    assert "\nЦель: доля сделок по рекомендации 30 % к 30 июня 2027, сейчас 0 %." in told(town)[0].replace(
        "\N{NO-BREAK SPACE}", " "
    )


def has_reasons(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_field("Причина рекламации", "select", enums=["Монтаж", "Сроки"])


async def letter(town: World, who: str) -> str:
    """What this person is sent on the first of October."""
    town.clock.set(datetime(2026, 10, 1, 11, 0, tzinfo=ZONE))
    hands = town.app.hands
    occasion = due_occasion(hands.now(), "", hands.reports.monthly, hands.calendar.zone)
    assert occasion is not None
    person = next(one for one in hands.known.staff if one.name == who)
    sent = await letter_for(hands, person, occasion)
    assert sent is not None
    return sent.text


async def solved(town: World, *said: str) -> None:
    """Petr is glad, Ivan is not; Anna solves that and tells what was done, worded better each time."""
    await town.asked()
    await town.asked([town.contact("Пётр Ли", PETR)], responsible="Мария Ким")
    town.whatsapp.says(PETR, "10, спасибо Марии")
    await town.ivan_writes("3, монтаж три недели")
    await town.taps("Решено", "Анна")
    question = next(post for post in town.telegram.messages("Анна") if "Что сделали?" in post.text)
    town.telegram.says("Анна", said[0], reply_to=question.message_id)
    for better in said[1:]:
        await town.later(minutes=1)
        town.telegram.edits("Анна", better)
    await town.later(minutes=1)


@configured({"reports": WEEKLY, "staff": [HEAD, OLEG, ADA]}, before=has_reasons)
async def test_the_letter_tells_what_was_mended_to_whom_it_is_not_about(town: World) -> None:
    await solved(town, "Заменили мотр", "Заменили мотор, мастер +7 914 555-12-34")
    [complaint] = town.amocrm.leads_in("Рекламации")
    town.amocrm.edit_lead(complaint.id, fields={"Причина рекламации": "Сроки"})
    await town.later(minutes=10)
    mended = "\nЧто исправили благодаря им: "
    assert (await letter(town, "Анна")).endswith(f"{mended}Заменили мотор, мастер +7***1234.")
    for who in ("Олег", "Ада"):
        assert (await letter(town, who)).endswith(f"{mended}Сроки."), "the reason alone"


@configured({"reports": WEEKLY})
async def test_without_amocrm_the_letter_still_goes_out(town: World) -> None:
    await solved(town, "Заменили мотор")
    town.amocrm.faults.add("/notes", method="GET", status=503, times=0)
    told = await letter(town, "Анна")
    assert told.startswith("Коллеги, итоги: сентябрь 2026. ")
    assert "Что исправили" not in told


@configured({"reports": {**WEEKLY, "min_answers": 5}})
async def test_silence_is_one_sentence(town: World) -> None:
    await town.asked()
    await at(town, 9, 14, 9)
    assert "\n\nНикто не ответил: отправили 1 вопрос, доставлено " in told(town)[0]


@configured({"reports": WEEKLY})
async def test_people_side_by_side_are_a_picture_above_the_words(town: World) -> None:
    await town.asked()
    await town.asked([town.contact("Пётр Ли", PETR)], responsible="Мария Ким")
    town.whatsapp.says(PETR, "9")
    await town.ivan_writes("10")
    await at(town, 9, 14, 9)
    [picture] = town.telegram.files.values()
    assert picture.startswith(b"\x89PNG")
    assert len(told(town)) == 1
