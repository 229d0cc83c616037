"""What staff read on their phones is kept in docs/telegram.ru.md, word for word as the bot says it now.

The company, its week and the clock are made up. `SARAFAN_WRITE_DOCS=1` writes the file anew.
"""

import os
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.telegram_model import Posted
from storage.database import Database
from tests.stories.company import ON_SQLITE
from tests.world import ANNA, IVAN, ZONE, World, world
from worker.flows.follow import follow

FILE = Path(__file__).parents[2] / "docs" / "telegram.ru.md"
WRITE = "SARAFAN_WRITE_DOCS"

VIKTOR, PETR, OLEG = 333333333, 222222222, 444444444
STAFF = [
    {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": "Анна Котова"},
    {"telegram_id": PETR, "name": "Пётр", "role": "head", "amocrm_user": "Пётр Ли"},
    {"telegram_id": VIKTOR, "name": "Виктор", "role": "owner"},
    {"telegram_id": OLEG, "name": "Олег", "role": "manager", "amocrm_user": "Олег Смирнов"},
]
GROUP = -4_000_100
CONFIG: dict[str, Any] = {
    "staff": STAFF,
    "http": {"public_url": "https://sarafan.example.com"},
    "delivery": {"preview": True},
    "alerts": {"quiet_hours": "21:00-08:00", "burst": 3, "groups": [GROUP]},
    "reports": {"weekly": "mon 09:00"},
    "survey": [
        {"key": "nps", "metric": "nps", "delay": "1bd"},
        {"key": "solved", "metric": "csat", "trigger": "complaint_closed", "delay": "1bd"},
    ],
}
MARINA, ANDREY = "+79140000012", "+79140000013"
HAPPY = {
    "+79140000031": ("Ольга Вершинина", "10"),
    "+79140000033": ("Наталья Орлова", "8, ребята молодцы"),
}
UNHAPPY = {
    "+79140000021": ("Елена Зайцева", "2, мастер не приехал"),
    "+79140000022": ("Николай Фёдоров", "3"),
    "+79140000023": ("Светлана Новикова", "2, погнули профиль"),
    "+79140000024": ("Галина Степанова", "1, ворота не закрываются"),
}
SEND = r"(?i)/sendMessage$"
INTRODUCTION = f"""# Что видят сотрудники в Telegram

Слово в слово, с кнопками под сообщениями. Компания, люди и числа выдуманы.

<!-- Written by a test: {WRITE}=1 pytest tests/stories/test_telegram_text.py -->"""
SPECIAL = re.compile(r"([\\`*_<>\[\]#])")


def quoted(line: str) -> str:
    """So that Markdown shows it as it is."""
    return SPECIAL.sub(r"\\\1", line)


class Printed:
    """The file as it grows: headings, a sentence of what has happened, and messages as they look now."""

    def __init__(self, town: World) -> None:
        self.town = town
        self.parts: list[str] = []

    def chapter(self, title: str, what: str) -> None:
        self.parts += [f"## {title}", what]

    def says(self, what: str) -> None:
        self.parts.append(what)

    def shows(self, post: Posted, whose: str) -> None:
        """A bubble: who reads it and since when, its lines, its buttons in rows."""
        at = post.at.astimezone(ZONE)
        lines = [f"> {quoted(line)}  " if line else ">" for line in post.text.splitlines()]
        rows = (post.markup or {}).get("inline_keyboard", ())
        buttons = [" ".join(f"`{button['text']}`" for button in row) + "  " for row in rows]
        self.parts.append(f"*{whose}, {at.day} сентября, {at:%H:%M}*")
        self.parts.append("\n".join([*lines, *([">"] if buttons else []), *(f"> {row}" for row in buttons)]))

    def last(self, who: str, *, of: str = "") -> Posted:
        found = [post for post in self.town.telegram.messages(who) if of in post.text]
        self.shows(found[-1], who)
        return found[-1]

    async def asks(self, who: str, command: str) -> None:
        """Somebody types a command, and this is the answer."""
        self.town.clock.advance(timedelta(minutes=1))
        self.town.telegram.says(who, command)
        await self.town.step(pulls=False)
        self.says(f"**{who}:** {command}")
        self.last(who)


@pytest.fixture
async def town(db: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world(db, tmp_path, before=has_people, **CONFIG) as made:
        for person in STAFF[1:]:
            made.telegram.start(
                made.telegram.person(str(person["name"]), user_id=int(str(person["telegram_id"])))
            )
        made.telegram.group("Рекламации", chat_id=GROUP)
        await made.step()
        yield made


def has_people(amocrm: AmoCrmStandIn) -> None:
    for name in ("Анна Котова", "Пётр Ли"):
        amocrm.add_user(name)


def sold(town: World, name: str, phone: str, what: str, price: int) -> None:
    contact = town.contact(name, phone)
    town.amocrm.close_lead(town.deal([contact], name=what, price=price))


async def at(town: World, day: int, hour: int, minute: int = 0) -> None:
    """It is this moment of September, and the worker looks around."""
    town.clock.set(datetime(2026, 9, day, hour, minute, tzinfo=ZONE))
    await town.step()
    await follow(town.app.hands)
    await town.step(pulls=False)


async def writes(town: World, phone: str, words: str) -> None:
    town.clock.advance(timedelta(minutes=1))
    town.whatsapp.says(phone, words)
    await town.step(pulls=False)


async def answers(town: World, to: Posted, words: str) -> None:
    town.clock.advance(timedelta(minutes=2))
    town.telegram.says("Анна", words, reply_to=to.message_id)
    await town.step(pulls=False)


async def before_the_first_question(town: World, page: Printed) -> None:
    page.chapter("Перед первой отправкой", "Пока руководитель не включил отправку, никому не пишем.")
    sold(town, "Иван Петров", IVAN, "Секционные ворота", 234_000)
    sold(town, "Марина Лебедева", MARINA, "Откатные ворота", 148_000)
    await town.later(minutes=5)
    await follow(town.app.hands)
    await town.step(pulls=False)
    page.last("Анна", of="Проверьте")
    await town.taps("Включить отправку", "Анна")
    page.says("Анна нажимает «Включить отправку».")
    page.last("Виктор")


async def a_low_score(town: World, page: Printed) -> None:
    page.chapter("Низкая оценка", "Иван отвечает: «3, монтаж растянулся на три недели».")
    await at(town, 8, 12)
    await writes(town, IVAN, "3, монтаж растянулся на три недели")
    page.last("Анна")
    page.says("В общей группе то же самое без фамилии и полного номера:")
    page.last("Рекламации")
    page.says("Иван дописывает: «и пульт так и не привезли».")
    await writes(town, IVAN, "и пульт так и не привезли")
    page.last("Анна")
    page.says("Анна нажимает «Беру». Пётр видит это у себя:")
    await town.taps("Беру", "Анна")
    page.last("Пётр", of="Низкая оценка")
    page.says("Анна позвонила и нажимает «Поговорили». Теперь у Петра так:")
    town.clock.advance(timedelta(minutes=40))
    await town.taps("Поговорили", "Анна")
    page.last("Пётр", of="Низкая оценка")


async def words_under_a_nine(town: World, page: Printed) -> None:
    page.chapter("Вопрос под хорошей оценкой", "Марина отвечает: «9, но пульт не работает».")
    await writes(town, MARINA, "9, но пульт не работает")
    asked = page.last("Анна")
    page.says("Анна отвечает на это сообщение: «Марина, мастер приедет завтра в 10».")
    await answers(town, asked, "Марина, мастер приедет завтра в 10")
    page.last("Анна")
    page.says(f"Марина получает в WhatsApp: «{town.whatsapp.messages(MARINA)[-1].text}»")
    page.says("А у Петра под тем же сообщением видно, что ответ дан:")
    page.last("Пётр", of="пишет (")


async def the_morning(town: World, page: Printed) -> None:
    page.chapter("Утреннее сообщение", "Приходит руководителям в девять, когда есть что сказать.")
    await at(town, 9, 9)
    page.last("Анна")


async def solved_and_not_solved(town: World, page: Printed) -> None:
    page.chapter("Решение", "Анна нажимает «Решено», и бот спрашивает, что сделали.")
    sold(town, "Андрей Климов", ANDREY, "Рулонные ворота", 84_000)
    await at(town, 9, 11)
    await town.taps("Решено", "Анна")
    asked = page.last("Анна")
    page.says("Она отвечает: «Привезли пульт, подарили сервис на год».")
    await answers(town, asked, "Привезли пульт, подарили сервис на год")
    page.last("Анна")
    page.says("На другой день спрашиваем Ивана, удалось ли решить вопрос. Он отвечает: «2, опять заедает».")
    await at(town, 10, 11, 30)
    await writes(town, IVAN, "2, опять заедает")
    page.last("Виктор")


async def nobody_takes_it(town: World, page: Printed) -> None:
    page.chapter(
        "Никто не взял", "Андрей отвечает: «1». Оповещения Анны и Петра остались без ответа, прошёл час:"
    )
    await writes(town, ANDREY, "1")
    await at(town, 10, 12, 40)
    page.last("Пётр")
    page.says("Ещё через час об этом узнаёт владелец:")
    await at(town, 10, 13, 40)
    page.last("Виктор")
    await town.taps("Беру", "Пётр")
    lead = town.complaints()[-1]
    who, note = town.amocrm.users[lead.responsible_user_id].name, town.amocrm.notes_of(lead.id)[-1]
    page.says(f"Пётр нажимает «Беру». В сделке рекламации ответственный — {who}, примечание «{note}».")
    page.says("До срока он так и не звонит:")
    await at(town, 11, 11, 40)
    page.last("Пётр")


async def three_hours_without_telegram(town: World, page: Printed) -> None:
    page.chapter(
        "Много оценок сразу", "Telegram не отвечал три часа, за это время пришло четыре низкие оценки."
    )
    for phone, (name, _) in [*HAPPY.items(), *UNHAPPY.items()]:
        sold(town, name, phone, "Откатные ворота", 150_000)
    await town.step()
    await at(town, 14, 12)
    town.telegram.faults.add(SEND, times=0, status=502)
    for phone, (_, words) in [*HAPPY.items(), *UNHAPPY.items()]:
        town.whatsapp.says(phone, words)
    await town.step(pulls=False)
    await town.later(hours=3)
    town.telegram.faults.clear()
    await town.later(minutes=20)
    page.last("Анна")
    page.says("Анна нажимает «Беру № 4»:")
    await town.taps("Беру № 4", "Анна")
    page.last("Пётр")


async def the_week(town: World, page: Printed) -> None:
    page.chapter(
        "Каждую неделю",
        "В понедельник утром: что изменилось, на что обратить внимание, что делать. Если ответов достаточно, "
        "над текстом картинка: оценка по месяцам и менеджеры рядом.",
    )
    page.last("Анна", of="За неделю")


async def what_staff_ask(town: World, page: Printed) -> None:
    page.chapter("Команды", "Кнопки под ответом меняют период в том же сообщении.")
    sold(town, "Станислав Орехов", "+79140000041", "Секционные ворота", 182_000)
    await town.later(minutes=5)
    for command in ("/complaints", "/find 0001", "/nps", "/plan", "/report", "/dashboard", "/help"):
        await page.asks("Анна", command)


@pytest.mark.long
@ON_SQLITE
async def test_the_file_says_what_the_bot_says(town: World) -> None:
    page = Printed(town)
    await before_the_first_question(town, page)
    await a_low_score(town, page)
    await words_under_a_nine(town, page)
    await the_morning(town, page)
    await solved_and_not_solved(town, page)
    await nobody_takes_it(town, page)
    await three_hours_without_telegram(town, page)
    await the_week(town, page)
    await what_staff_ask(town, page)
    said = "\n\n".join([INTRODUCTION, *page.parts]) + "\n"
    if os.environ.get(WRITE):
        FILE.write_text(said, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == said, (
        f"the bot says something else now: {WRITE}=1 writes it anew"
    )
