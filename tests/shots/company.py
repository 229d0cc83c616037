"""A made-up company's two years as rows in a database, for the pictures in docs/.

The same each time: chance is drawn from a seed.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from sqlmodel import SQLModel

from integrations.standins.amocrm import AmoCrmStandIn
from storage.chat_events import Read
from storage.chat_events import add as add_chats
from storage.database import Database
from storage.tables.calls import Call, Scorecard
from storage.tables.chat_events import ChatEvent
from storage.tables.complaints import Complaint
from storage.tables.deals import Deal, Referral
from storage.tables.people import Client, PromoCode
from storage.tables.surveys import Reply, Survey
from tests.world import ANNA, ZONE
from worker.rules.scorecards import usual, version_of, written
from worker.rules.wording import Texts

NOW = datetime(2026, 10, 1, 10, 0, tzinfo=ZONE)
BEGINS = date(2024, 10, 1)
DAYS = (NOW.date() - BEGINS).days
PEOPLE = ("Ирина Ким", "Мария Соколова", "Пётр Гордеев", "Анна Литвинова", "Олег Петров", "Дмитрий Шевченко")
HEAD_IN_AMOCRM = "Анна Котова"
BOSS = 333333333
# How their clients like it, and how soon they answer: the scores, and minutes in a chat.
LIKED = {
    "Ирина Ким": ((10, 10, 9, 9, 8, 10, 9, 7, 5), 6),
    "Мария Соколова": ((10, 9, 9, 10, 10, 8, 9, 10), 4),
    "Пётр Гордеев": ((10, 9, 8, 9, 7, 10, 9, 3), 12),
    "Анна Литвинова": ((9, 10, 8, 9, 10, 7, 9, 5), 9),
    "Олег Петров": ((8, 9, 7, 10, 5, 9, 6, 8, 4), 22),
    "Дмитрий Шевченко": ((7, 5, 9, 6, 3, 8, 4, 10, 2), 65),
}
WORDS = ("всё точно в срок, спасибо", "мастера аккуратные", "объяснили каждую мелочь", "")
TOPICS = ("Сроки", "Монтаж", "Сроки", "Автоматика", "Сроки")
CONFIG: dict[str, Any] = {
    "survey": [
        {"key": "nps", "metric": "nps"},
        {"key": "csat_manager", "metric": "csat", "subject": "manager"},
        {"key": "ces", "metric": "ces"},
    ],
    "staff": [
        {"telegram_id": ANNA, "name": "Анна", "role": "head", "amocrm_user": HEAD_IN_AMOCRM},
        {"telegram_id": BOSS, "name": "Босс", "role": "owner"},
    ],
    "referral": {"discount": "5%"},
    "iqs": {"calls_per_week": 2},
    "reports": {"weekly": "mon 09:00", "monthly": "1 10:00", "sales_health": True},
    "goals": {
        "nps": {"target": 60, "by": "2027-03-31"},
        "referral_share": {"target": 20, "by": "2027-03-31"},
    },
}


def has_people(amocrm: AmoCrmStandIn) -> None:
    for name in (*PEOPLE, HEAD_IN_AMOCRM):
        if name not in {user.name for user in amocrm.users.values()}:
            amocrm.add_user(name)


async def fill(db: Database, amocrm: AmoCrmStandIn, texts: Texts) -> None:
    made = _Company(amocrm, texts)
    async with db.transaction() as tx:
        tx.add_all([*made.rows(), *made.calls()])
    async with db.transaction() as tx:
        until = NOW.astimezone(UTC)
        await add_chats(tx, made.chats, Read(until - timedelta(days=DAYS), until))


class _Company:
    def __init__(self, amocrm: AmoCrmStandIn, texts: Texts) -> None:
        self._by_chance = Random(20)  # noqa: S311 - to be repeated, not to be unguessable
        self._users = {user.name: user.id for user in amocrm.users.values()}
        self._sales = amocrm.pipeline("Продажи").id
        self._criteria = usual(texts)
        self._deal = 50_000
        self._bought: dict[int, int] = {}  # client -> the day of the last purchase
        self.chats: list[ChatEvent] = []

    def rows(self) -> Iterator[SQLModel]:
        for day in range(DAYS):
            first = datetime.combine(BEGINS + timedelta(days=day), datetime.min.time(), ZONE)
            if first.weekday() == 6:
                continue
            # Each year more is sold.
            for number in range(self._by_chance.choice((0, 1, 1, 2)) + (day > 450)):
                closed_at = (first + timedelta(hours=11 + 2 * number, minutes=day % 50)).astimezone(UTC)
                yield from self._sale(closed_at, day)

    def _sale(self, closed_at: datetime, day: int) -> Iterator[SQLModel]:
        self._deal += 1
        deal, chance = self._deal, self._by_chance
        name = chance.choice(PEOPLE)
        is_friends = chance.random() < 0.06 + 0.12 * day / DAYS
        client = self._client(deal, day)
        if client == deal:
            yield Client(
                client_id=client,
                key=f"phone:+7914{deal:07}",
                phone=f"+7914{deal:07}",
                name="Клиент",
                created_at=closed_at,
            )
            yield PromoCode(
                code=f"ДРУГ-{deal:07}",
                digits=f"{deal:07}",
                client_id=client,
                created_at=closed_at,
                first_sent_at=closed_at,
            )
        yield Deal(
            deal_id=deal,
            name="Откатные ворота",
            price=chance.randrange(60, 260) * 1000,
            pipeline_id=self._sales,
            status_id=142,
            manager_id=self._users[name],
            client_id=client,
            created_at=closed_at - timedelta(days=9),
            updated_at=closed_at,
            closed_at=closed_at,
            seen_at=closed_at,
        )
        yield Referral(deal_id=deal, is_referral=is_friends, by_field=is_friends)
        self._chat(deal, name, closed_at)
        score = chance.choice(LIKED[name][0])
        asked_at = closed_at + timedelta(days=1)
        if asked_at < NOW:
            yield from self._answers(deal, client, name, score, asked_at)
            if score <= 5 and chance.random() < 0.8:
                yield self._complaint(deal, client, name, asked_at + timedelta(hours=2), day)

    def _client(self, deal: int, day: int) -> int:
        """Every sixth is somebody who bought before."""
        old = [client for client, last in self._bought.items() if day - last > 60]
        client = self._by_chance.choice(old) if old and self._by_chance.random() < 1 / 6 else deal
        self._bought[client] = day
        return client

    def _answers(
        self, deal: int, client: int, name: str, score: int, asked_at: datetime
    ) -> Iterator[SQLModel]:
        chance = self._by_chance
        ease = max(1, min(5, round(score / 2) + chance.choice((-1, 0, 0, 1))))
        asked = {"nps": score, "csat_manager": max(1, min(5, round(score / 2))), "ces": ease}
        answers = chance.random() < 0.62
        for number, (key, given) in enumerate(asked.items()):
            if number and not answers:
                break  # silence ends a conversation
            settled_at = asked_at + timedelta(minutes=5 * number)
            yield self._survey(deal, client, name, key, given if answers else None, settled_at)
        if answers and score >= 9 and (words := chance.choice(WORDS)):
            yield Reply(
                channel="whatsapp",
                external_id=f"reply-{deal}",
                received_at=asked_at + timedelta(hours=1),
                client_id=client,
                survey_id=deal * 10,
                score=score,
                band="high",
                counts=True,
                kind="text",
                text=words,
            )

    def _survey(
        self, deal: int, client: int, name: str, key: str, score: int | None, settled_at: datetime
    ) -> Survey:
        metric = {"csat_manager": "csat"}.get(key, key)
        scale, (low, high) = (
            ("1-10", (5, 9)) if metric == "nps" else ("1-5", (2, 4) if metric == "ces" else (3, 5))
        )
        band = "" if score is None else "low" if score <= low else "high" if score >= high else "neutral"
        return Survey(
            id=deal * 10 + ("nps", "csat_manager", "ces").index(key),
            survey_key=key,
            metric=metric,
            trigger="deal_won",
            deal_id=deal,
            root_deal_id=deal,
            client_id=client,
            pipeline_id=self._sales,
            manager_id=self._users[name],
            manager=name,
            subject=name if key == "csat_manager" else "",
            subject_is_manager=key == "csat_manager",
            triggered_at=settled_at,
            planned_at=settled_at,
            due_at=settled_at,
            next_at=settled_at,
            settled_at=settled_at,
            sent_at=settled_at,
            delivered_at=settled_at,
            state="sent" if settled_at > NOW - timedelta(days=3) else "answered" if score else "expired",
            channel=("whatsapp", "telegram")[deal % 2],
            scale=f"{scale} low={low} high={high}",
            score=score,
            band=band,
            answered_at=None if score is None else settled_at + timedelta(hours=1),
        )

    def _complaint(self, deal: int, client: int, name: str, opened_at: datetime, day: int) -> Complaint:
        chance = self._by_chance
        took = timedelta(hours=chance.randrange(4, 30 + 8 * (DAYS - day) // 60))
        closed_at = opened_at + took
        is_closed = closed_at < NOW
        return Complaint(
            lead_id=900_000 + deal,
            client_id=client,
            survey_id=deal * 10,
            source_deal_id=deal,
            manager_id=self._users[name],
            manager=name,
            name="Рекламация",
            responsible_id=self._users[HEAD_IN_AMOCRM],
            opened_at=opened_at,
            deadline=opened_at + timedelta(days=1),
            closed_at=closed_at if is_closed else None,
            is_solved=chance.random() < 0.9 if is_closed else None,
            taken_at=opened_at + timedelta(minutes=20),
            taken_by="Анна",
            contacted_at=opened_at + timedelta(hours=3),
            contacted_by="Анна",
            topic=chance.choice(TOPICS) if is_closed else "",
        )

    def _chat(self, deal: int, name: str, closed_at: datetime) -> None:
        chance, user = self._by_chance, self._users[name]
        asked_at = (closed_at - timedelta(days=7)).astimezone(ZONE).replace(hour=10).astimezone(UTC)
        after = timedelta(minutes=LIKED[name][1] * chance.uniform(0.4, 2.2))
        about: dict[str, Any] = {
            "talk": f"talk:{deal}", "deal_id": deal, "manager_id": user, "pipeline_id": self._sales,
        }  # fmt: skip
        self.chats.append(ChatEvent(event_id=f"in-{deal}", at=asked_at, kind="in", **about))
        if chance.random() < 0.97:
            self.chats.append(
                ChatEvent(event_id=f"out-{deal}", at=asked_at + after, kind="out", user_id=user, **about)
            )

    def calls(self) -> Iterator[SQLModel]:
        """Of the last quarter, twelve of each."""
        chance = self._by_chance
        for place, name in enumerate(PEOPLE):
            for number in range(12):
                at = (NOW - timedelta(days=3 + 7 * number)).astimezone(UTC)
                call = 1_000 * (place + 1) + number
                good = 0.95 - 0.09 * place
                found = chance.choices((1.0, 0.5, 0.0), (good, 0.1, 1 - good), k=len(self._criteria))
                yield Call(
                    id=call, key=f"call-{call}", week="2026-09-21", manager_id=self._users[name],
                    at=at, duration=140, link=f"https://telephony.example/{call}.mp3", is_drawn=True,
                )  # fmt: skip
                yield Scorecard(
                    call_id=call, manager_id=self._users[name], reviewer="head", reviewer_name="Анна",
                    version=version_of(self._criteria), criteria=written(self._criteria),
                    marks=dict(zip((one.key for one in self._criteria), found, strict=True)),
                    created_at=at, scored_at=at,
                )  # fmt: skip
