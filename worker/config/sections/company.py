"""The company: how it calls itself, when it works, and who of it are staff."""

# ruff: noqa: RUF009 — the calls in defaults give values that cannot change

from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from worker.config.addresses import UrlOrNone
from worker.config.values import FORBID, Count, Country, Date, Days, HoursText, Named, Some, Zone
from worker.rules.calendar import Hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """`[company]`"""

    __pydantic_config__ = FORBID

    name: str = ""
    timezone: Zone = ZoneInfo("Asia/Vladivostok")
    language: Literal["ru", "en"] = "ru"
    phone: str = ""
    privacy_url: UrlOrNone = ""
    work_days: Days = frozenset(range(5))
    work_hours: HoursText = Hours(9 * 60, 18 * 60)
    holidays: Country = "RU"
    extra_holidays: frozenset[Date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """`[[staff]]`"""

    __pydantic_config__ = FORBID

    telegram_id: Count = 0
    max_id: Count = 0
    name: Some
    role: Literal["owner", "head", "controller", "manager", "admin"]
    pipelines: tuple[Named, ...] = ()
    managers: tuple[Named, ...] = ()
    amocrm_user: Named = ""
