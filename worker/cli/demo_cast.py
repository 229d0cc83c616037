"""Who plays in `demo --serve`: the company's configuration, its clients with their deals, and its staff.

Nobody here is real. Questions leave at once and at any hour, so that whoever plays waits for nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from integrations.standins.town import HEAD_ID
from worker.cli.demo_town import (
    ALINA,
    KHVAN,
    LISINA,
    MARIA,
    OLEG,
    PAVEL,
    SOKOLOV,
    TEN,
    ZONE,
    T,
    W,
)

BEGINS = datetime(2026, 7, 1, 10, 0, tzinfo=ZONE)
OWNER_ID, MANAGER_ID = 222_222_222, 333_333_333
OWNER_IN_AMOCRM = "Пётр Орлов"
COMPLAINT_FIELD = "CSAT рекламации"

CONFIG = """\
[company]
name = "ВладАвтоматика"
timezone = "Asia/Vladivostok"
holidays = ""

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

[delivery]
send_window = "00:00-24:00"
send_days = "mon-sun"

[[survey]]
key = "nps"
metric = "nps"
delay = "0s"

[[survey]]
key = "csat"
metric = "csat"
subject = "manager"
delay = "0s"

[[survey]]
key = "ces"
metric = "ces"
on_low = "task"
delay = "0s"

[[survey]]
key = "solved"
metric = "csat"
trigger = "complaint_closed"
delay = "1h"
field = "CSAT рекламации"

[alerts]
quiet_hours = ""

[[staff]]
telegram_id = {head_id}
name = "Анна"
role = "head"
amocrm_user = "Анна Котова"

[[staff]]
telegram_id = 222222222
name = "Пётр"
role = "owner"
amocrm_user = "Пётр Орлов"

[[staff]]
telegram_id = 333333333
name = "Олег"
role = "manager"
amocrm_user = "Олег Смирнов"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A client and the deal that this client came with."""

    name: str
    by: str  # T or W
    manager: str
    crew: str
    what: str
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    telegram_id: int
    name: str
    title: str


STAFF = (
    Colleague(telegram_id=HEAD_ID, name="Анна", title="руководитель"),
    Colleague(telegram_id=OWNER_ID, name="Пётр", title="собственник"),
    Colleague(telegram_id=MANAGER_ID, name="Олег", title="менеджер"),
)
GUESTS = tuple(
    Guest(name=name, by=by, manager=manager, crew=crew, what=what, price=price)
    for name, by, manager, crew, what, price in (
        ("Марина Лебедева", T, MARIA, TEN, "Секционные ворота", 212_000),
        ("Сергей Морозов", T, OLEG, SOKOLOV, "Шлагбаум", 93_000),
        ("Вера Антонова", T, PAVEL, TEN, "Откатные ворота", 163_000),
        ("Иван Петров", W, KHVAN, SOKOLOV, "Откатные ворота", 148_000),
        ("Ольга Вершинина", W, LISINA, TEN, "Автоматика для ворот", 64_000),
        ("Борис Ефимов", W, ALINA, SOKOLOV, "Рулонные ворота", 87_000),
    )
)
CLOSED_AT_FIRST = ("Марина Лебедева", "Иван Петров")  # so that a question waits when the page opens
LATECOMER = Guest(name="", by=W, manager=OLEG, crew=SOKOLOV, what="Распашные ворота", price=105_000)
