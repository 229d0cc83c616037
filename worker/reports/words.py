"""How a report is said: its sentences filled, and its figures, days and durations in words."""

from dataclasses import dataclass
from datetime import date, timedelta

from worker.metrics.stats import rounded
from worker.reports.column_words import COLUMNS
from worker.reports.cover_words import COVER
from worker.reports.document import Cell, Kind
from worker.reports.sentences import SENTENCES
from worker.reports.tile_words import TILES
from worker.reports.titles import FINDINGS, TABLES
from worker.rules.calendar import Period
from worker.rules.formats import NBSP, SIGNS, number
from worker.rules.moments import day_text
from worker.rules.scale import cuts_of
from worker.rules.wording import Texts, Value

QUARTERS = {"ru": ("I", "II", "III", "IV"), "en": ("1st", "2nd", "3rd", "4th")}

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
NOTHING = "—"
LONG = 10  # days, from which hours no longer matter


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences and figures in the language of the company's texts."""

    texts: Texts
    currency: str = "RUB"

    @property
    def language(self) -> str:
        return self.texts.language

    def say(self, key: str, **values: Value) -> str:
        return self.texts.fill_template(SENTENCES[self.language][key], values)

    def column(self, key: str) -> str:
        return COLUMNS[self.language][key]

    def table(self, key: str, **values: Value) -> str:
        return self.texts.fill_template(TABLES[self.language][key], values)

    def finding(self, key: str, **values: Value) -> str:
        return self.texts.fill_template(FINDINGS[self.language][key], values)

    def tile(self, key: str, **values: Value) -> str:
        return self.texts.fill_template(TILES[self.language][key], values)

    def cover(self, key: str, **values: Value) -> str:
        return self.texts.fill_template(COVER[self.language][key], values)

    def reason(self, code: str) -> str:
        """Why somebody was not asked; a reason that this version does not know stays a code."""
        return self.texts.fill(f"reason.{code}") if self.texts.has(f"reason.{code}") else code

    def scale(self, scale_id: str) -> str:
        """«1–10, низкие до 5, высокие от 9»; what another version wrote stays an id."""
        cuts = cuts_of(scale_id)
        if cuts is None:
            return scale_id
        values = cuts.values.replace("-", "–")
        return self.say("scale", value=values, low=cuts.low, high=cuts.high)

    def yes(self, is_so: bool | None) -> str | None:
        return None if is_so is None else self.say("yes" if is_so else "no")

    def verdict(self, change: float, *, is_significant: bool) -> str:
        if not is_significant:
            return self.texts.fill("verdict.same")
        return self.texts.fill("verdict.up" if change > 0 else "verdict.down")

    # Figures

    def points(self, score: float) -> str:
        """An NPS: whole, with its sign."""
        written = number(score, self.language, places=0)
        return f"+{written}" if rounded(score, 0) > 0 else written

    def share(self, percent: float | None, places: int = 0) -> str:
        if percent is None:
            return ""
        written = self.bare(percent, places)
        return f"{written}{NBSP}%" if self.language == "ru" else f"{written}%"

    def bare(self, percent: float, places: int = 0) -> str:
        """A share without its sign: one is enough for the two ends of an interval."""
        return number(rounded(percent, places), self.language)

    def decimal(self, value: float) -> str:
        return number(value, self.language, places=1)

    def count(self, value: int) -> str:
        return number(value, self.language, places=0)

    def money(self, value: float | None) -> str:
        if value is None:
            return ""
        sign = SIGNS.get(self.currency.upper(), self.currency)
        return f"{number(value, self.language, places=0)}{NBSP}{sign}"

    def cell(self, cell: Cell, kind: Kind) -> str:
        """A figure as tables and pictures write it; a dash where it is undefined."""
        if cell is None:
            return NOTHING
        if isinstance(cell, str):
            return cell
        if isinstance(cell, date):
            return f"{cell:%d.%m.%Y}" if self.language == "ru" else cell.isoformat()
        match kind:
            case Kind.POINTS:
                return self.points(cell)
            case Kind.PERCENT:
                return self.share(cell, 1)
            case Kind.SCORE:
                return number(cell, self.language, places=2)
            case Kind.MONEY:
                return self.money(cell)
            case Kind.SECONDS:
                return self.lasting(cell)
            case Kind.WORKING:
                return self.working(cell)
            case Kind.COUNT | Kind.TEXT | Kind.DAY:
                return number(cell, self.language)

    def lasting(self, seconds: float) -> str:
        """«2 дня 3 часа», «5 часов», «40 мин»: as exact as it matters."""
        if seconds < HOUR - MINUTE / 2:
            return self.texts.fill("age.minutes", n=max(1, int(rounded(seconds / MINUTE, 0))))
        hours = int(rounded(seconds / HOUR, 0))
        days, hours = divmod(hours, 24)
        if days >= LONG:
            return self.texts.fill("age.days", n=int(rounded(seconds / DAY, 0)))
        parts = [("age.days", days), ("age.hours", hours)]
        return " ".join(self.texts.fill(key, n=count) for key, count in parts if count)

    def working(self, seconds: float) -> str:
        """«1 ч 15 мин», «27 ч»: to the minute, as a target is one."""
        hours, minutes = divmod(max(1, int(rounded(seconds / MINUTE, 0))), HOUR // MINUTE)
        parts = [("working.hours", hours), ("working.minutes", minutes)]
        return " ".join(self.say(key, n=str(count)) for key, count in parts if count)

    # Days

    def period(self, period: Period) -> str:
        """«III квартал 2026», «октябрь 2026», «1–20 августа 2026»."""
        start = period.start
        match period.kind:
            case "quarter":
                name = QUARTERS[self.language][(start.month - 1) // 3]
                return self.say("period.quarter", name=name, n=str(start.year))
            case "month":
                return f"{self.say('months').split('/')[start.month - 1]} {start.year}"
            case "year":
                return self.say("period.year", n=str(start.year))
            case "week" | "days":
                return self._days(start, period.end - timedelta(days=1))

    def _days(self, first: date, last: date) -> str:
        end = f"{day_text(self.texts, last)} {last.year}"
        if first == last:
            return end
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{end}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{day_text(self.texts, first)}{year} – {end}"
