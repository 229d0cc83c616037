"""The demo's made-up company: when and where it works, its configuration, and what its script is made of.

Nobody here is real. What happens to it is told by `demo_deals`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Vladivostok")
PERIOD = "2026Q3"
BEGINS = datetime(2026, 7, 1, 9, 0, tzinfo=ZONE)
ENDS = datetime(2026, 10, 1, 0, 0, tzinfo=ZONE)

COMPANY = "ВладАвтоматика"
HEAD = "Анна"
HEAD_IN_AMOCRM = "Анна Котова"
CREW_FIELD = "Монтажная бригада"
FRIEND_DISCOUNT = "Скидка от друга 5%"
OWN_FIELDS = ("CSAT бригады", "CSAT рекламации")  # beside those that every made-up account has

# The whole configuration; whatever it leaves out works by its default.
CONFIG = """\
[company]
name = "ВладАвтоматика"
timezone = "Asia/Vladivostok"

[storage]
url = "sqlite:///{database}"

[amocrm]
base_url = "{amocrm}"
token = "{amocrm_token}"

[telegram]
token = "{telegram_token}"
api_url = "{telegram}"

[whatsapp]
provider = "greenapi"
base_url = "{whatsapp}"
instance_id = "{instance_id}"
api_token = "{whatsapp_token}"
gap = "0s"

[[survey]]
key = "nps"
metric = "nps"

[[survey]]
key = "csat_manager"
metric = "csat"
subject = "manager"

[[survey]]
key = "csat_crew"
metric = "csat"
subject = "field:Монтажная бригада"
field = "CSAT бригады"

[[survey]]
key = "ces"
metric = "ces"
on_low = "task"

[[survey]]
key = "solved"
metric = "csat"
trigger = "complaint_closed"
delay = "1bd"
field = "CSAT рекламации"

[names]
"Бригада Соколова" = "бригада Андрея"
"Бригада Тена" = "бригада Виктора"

[[staff]]
telegram_id = {head_id}
name = "Анна"
role = "head"
amocrm_user = "Анна Котова"

[iqs]
calls_per_week = 1

[reports]
daily = ""
weekly = ""
monthly = ""
"""

# How a person recognises the question. The order is that of the report.
QUESTIONS: Mapping[str, str] = {
    "nps": "порекомендуете нас друзьям",
    "csat_manager": "оцените работу менеджера",
    "csat_crew": "оцените работу наших мастеров",
    "ces": "Насколько просто вам было с нами работать",
    "solved": "Удалось ли решить вопрос",
}
TITLES: Mapping[str, str] = {
    "nps": "NPS",
    "csat_manager": "Оценка менеджера",
    "csat_crew": "Оценка мастеров",
    "ces": "Простота (CES)",
    "solved": "Решение рекламации",
}
REMINDER = "Напоминаем о вопросе"
VOICE = "(голосовое сообщение)"

OLEG, MARIA, PAVEL = "Олег Смирнов", "Мария Ким", "Павел Дроздов"
LISINA, KHVAN, ALINA = "Екатерина Лисина", "Роман Хван", "Алина Журавлёва"
MANAGERS = (OLEG, MARIA, PAVEL, LISINA, KHVAN, ALINA)
SOKOLOV, TEN = "Бригада Соколова", "Бригада Тена"
CREWS = (SOKOLOV, TEN)
W, T = "WhatsApp", "Telegram"


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a client does about one question. `says` is typed, one after the other; VOICE is spoken.

    A first text that is a bare number is tapped where there is something to tap, unless `types` says no.
    """

    score: int | None  # what it comes to
    says: tuple[str, ...] = ()
    after: timedelta | None = None  # None: this client's usual delay
    gap: timedelta = timedelta(minutes=4)
    types: bool = False
    quotes: bool = False
    to_reminder: bool = False  # only the reminder is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """How a deal names who recommended the company: `code`, `slip` (mistyped), `phone`, `discount`."""

    by: str
    of: str = ""  # the friend
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # two deals alike are two deals
class Order:
    """A deal and everything that its client does. `scores`: NPS, manager, crew, CES; «-» is silence."""

    won: str  # day and time, local
    client: str
    by: str = W
    manager: str
    crew: str
    what: str
    price: int
    scores: str = ""
    aside: str = ""  # what is special about it, for who reads the story
    replies: Mapping[str, Reply] = field(default_factory=dict)
    friend: Friend | None = None
    refused: str = ""  # why the first question is not asked
    is_lost: bool = False
    has_phone: bool = True
    has_whatsapp: bool = True
    tags: tuple[str, ...] = ()
    created_before: timedelta = timedelta(days=9)
    then: str = ""  # what becomes of the deal before the question is due: reopened, deleted
    blocks_bot: bool = False
    links_after: timedelta = timedelta(minutes=40)
    manager_says: str = ""  # to the client, an hour after the client asked for something

    @property
    def won_at(self) -> datetime:
        return local(self.won)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What is done about a complaint: a button of the alert, or something by hand in amoCRM.

    So many minutes after the alert, or at a time of day so many days later.
    """

    do: str  # «Беру», «Поговорили», «Решено», «Позвонить позже»; close, reject, reopen
    minutes: int = 0
    days: int = 0
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A complaint that a manager opened and closed in amoCRM, about a deal of this client."""

    client: str
    opened: str
    closed: str
    what: str
    reply: Reply


def local(text: str) -> datetime:
    """«03.07 15:20» of the story's year."""
    return datetime.strptime(f"{BEGINS.year} {text}", "%Y %d.%m %H:%M").replace(tzinfo=ZONE)
