"""How a report is said: its sentences in both languages, and its figures, days and durations in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from worker.metrics.stats import rounded
from worker.reports import health_words
from worker.reports.column_words import COLUMNS
from worker.reports.cover_words import COVER
from worker.reports.document import Cell, Kind
from worker.reports.tile_words import TILES
from worker.reports.titles import FINDINGS, TABLES
from worker.rules.calendar import Period
from worker.rules.formats import NBSP, SIGNS, number
from worker.rules.moments import day_text
from worker.rules.scale import cuts_of
from worker.rules.wording import Texts, Value

# The notation is that of the texts: […] vanishes with an empty placeholder, {n:…} is a number with its noun.
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "title": "[{company}: ]{period}",
        "running": "Период ещё идёт, данные на {when}.",
        "nps": "{survey} {value} (от {low} до {high})[, {mark}]",
        "csat": "{survey}: довольны {value} (от {low} до {high})[, {mark}]",
        "ces": "{survey}: было легко {value} (от {low} до {high})[, {mark}]",
        "mark.small": "мало данных",
        "bands.nps": "Промоутеры {high}, нейтралы {neutral}, критики {low}. Ответов: {n}.",
        "bands.csat": "Высоких {high}, средних {neutral}, низких {low}. Ответов: {n}.",
        "bands.ces": "Средних {neutral}, было сложно {low}. Ответов: {n}.",
        "mean.nps": "Средняя оценка {mean} из {last}.",
        "mean.csat": "Средняя оценка {mean} из {last}[ (от {low} до {high})].",
        "mean.ces": "Лёгкость {mean} из {last}[ (от {low} до {high})].",
        "few": "{survey}: мало ответов ({n}), оценку не считаем",
        "few.bands": "Высоких {high}, средних {neutral}, низких {low}.",
        "none": "{survey}: ответов нет",
        "before": "{period}: {value}, ответов {n}. {verdict}",
        "before.few": "{period}: мало ответов ({n}), не сравниваем.",
        "asked": "Спросили {n}[ из {m}], ответили {value} ({share})[, {mark}].",
        "mark.collecting": "ещё собираем",
        "nobody": "Пока никого не спросили.",
        "read.known": "{n} из {m}, где это видно",
        "arrived": "Доставлено {n}[ (из них ответили {share})][, прочитано {m}].",
        "declined": "Вместо оценки попросили позвонить: {n}.",
        "uncertain": "Дошло ли, неизвестно: {n}.",
        "requests": "Просили ответить: {n}, в переписке ответили: {m}.",
        "not_sent": "Не спросили {n}: {reason}.",
        "working.hours": "{n} ч",
        "working.minutes": "{n} мин",
        "frt.speed": "Половина ответов — за {mean}, 9 из 10 — за {high} рабочего времени.",
        "frt.within": "Вовремя, за {age}: {share} (от {low} до {high}), ответов {n}.",
        "frt.few": "Мало ответов ({n}), скорость не считаем.",
        "frt.none": "Ответов в рабочее время не было.",
        "frt.before": "{period}: вовремя {value}. {verdict}",
        "frt.open": "Без ответа {n}, дольше всех ждут {age}[, без ответственного {m}].",
        "frt.off_hours": "Ответов вне рабочего времени {n}: в скорость не входят.",
        "frt.ended": "Беседу закрыли без ответа: {n}.",
        "frt.without_author": "Исходящих без автора (бот или с телефона) {n} из {m}: ответом не считаем.",
        "frt.since": "Данные с {when}.",
        "frt.person": "• {name}: половина за {age}, вовремя {share}, ответов {n}[, без ответа {m}]",
        "frt.person.few": "• {name}: мало ответов ({n})[, без ответа {m}]",
        "frt.nothing": "amoCRM не сообщила ни об одном сообщении клиентов или менеджеров: "
        "скорость ответа посчитать не из чего.",
        "frt.nothing.seen": "Скорость ответа посчитать нельзя: amoCRM не сообщила ни об одном сообщении, "
        "а в наших каналах клиенты писали {n:раз/раза/раз}.",
        "frt.no_incoming": "Скорость ответа посчитать нельзя: amoCRM не сообщает о входящих сообщениях. "
        "Исходящих {n}, входящих {m}.",
        "frt.no_answers": "Скорость ответа посчитать нельзя: входящих {n}, а кто на них отвечал, amoCRM "
        "не сообщает. Так бывает, когда пишут с телефона или из другой программы.",
        "iqs.score": "IQS {value} из 100 (от {low} до {high}), проверок {n}.",
        "iqs.few": "Мало проверок ({n}), оценку не считаем.",
        "iqs.before": "{period}: {value}. {verdict}",
        "iqs.weakest": "Слабее всего: {name}, {share}.",
        "iqs.critical": "Критических ошибок: {n}.",
        "iqs.agreement": "Двое проверили {n:звонок/звонка/звонков}[, совпали {share} оценок "
        "(от {low} до {high})].",
        "iqs.person": "• {name}: {value} (от {low} до {high}), проверок {n}",
        "iqs.person.few": "• {name}: мало проверок ({n})",
        "iqs.comments": "Комментарии:",
        "iqs.comment": "• {name}: {words}",
        "managers": "По менеджерам:",
        "subjects": "По исполнителям:",
        "person": "• {name}: {value} (от {low} до {high}), ответов {n}",
        "person.few": "• Мало ответов: {name}",
        "complaints.none": "Рекламаций не было, открытых нет.",
        "complaints.flow": "Поступило {n}, закрыто {m}, открыто сейчас {open}.",
        "complaints.before": "{period}: поступило {n}, закрыто {m}.",
        "complaints.time": "Решали в среднем {mean}; половину — за {low}, 9 из 10 — за {high}.",
        "complaints.one": "Решили за {mean}.",
        "complaints.typical": "С учётом открытых половина решается за {age}.",
        "complaints.oldest": "Самая старая открыта {age}.",
        "complaints.ends": "Решено {high}, отклонено {low}[, открывали снова {n}].",
        "complaints.per_won": "На 100 выигранных сделок: {value}[ (от {low} до {high})].",
        "complaints.taken": "Взяли в срок {n} из {m}[ ({share})].",
        "complaints.contacted": "Связались в срок с {n} из {m}[ ({share})].",
        "complaints.topic": "Чаще всего: {topic} ({n} из {m}).",
        "complaints.no_topic": "Закрыто без причины: {n} из {m}.",
        "complaints.own": "Закрыл тот, о ком рекламация: {n} из {m}.",
        "complaints.recovered": "После решения довольны {n} из {m}.",
        "topic.none": "не указана",
        "topic.words": "своими словами",
        "promise.take": "Взять",
        "promise.contact": "Связаться с клиентом",
        "ages": "до суток/1–3 дня/3–7 дней/7–30 дней/дольше 30 дней",
        "referrals.none": "Выигранных сделок не было.",
        "referrals.deals": "По рекомендации {n} из {m:выигранной сделки/выигранных сделок/выигранных сделок}"
        ": {share} (от {low} до {high}).",
        "referrals.before": "{period}: {n} из {m}. {verdict}",
        "referrals.before.none": "{period}: выигранных сделок не было.",
        "referrals.money": "На {value} из {amount}[: {share}].",
        "referrals.check": "Средний чек по рекомендации {high}, у остальных {low}.",
        "codes": "Кодов для друзей выдано {n}, сработало {m} ({share}).",
        "codes.none": "Кодов для друзей не выдавали.",
        "channel": "• {name}: спросили {n}[, доставлено {m}][, ответили {value}][, не дошло {closed}]",
        "units": "Как считаем",
        "scale": "{value}, низкие до {low}, высокие от {high}",
        "yes": "да",
        "no": "нет",
        "other_scale": "Ответы на другой шкале — отдельно: {value} (ответов {n}).",
        "referrals.unmarked": "Не указано, с какой скидкой пришёл клиент: {n:сделка/сделки/сделок} из {m}. "
        "Доля может быть выше.",
        "referrals.problems": "Разобрать вручную: {reason}.",
        "problem.self": "свой же код",
        "problem.unknown": "неизвестный код или номер",
        "problem.ambiguous": "код с опечаткой",
        "check": "Средний чек {value}, медиана {mean}[, без суммы {n:сделка/сделки/сделок}].",
        "check.before": "{period}: {value}. {share} {verdict}",
        "check.up": "Рост {value}.",
        "check.down": "Снижение {value}.",
        "fairness.less": "реже, чем у остальных",
        "fairness.person": "• {name}: спросили о {value} из {n:сделки/сделок/сделок}[, {mark}]"
        "[, меток вручную {open}][, после низкой оценки сменили ответственного {closed}]",
        "period.quarter": "{name} квартал {n}",
        "period.year": "{n} год",
        "months": "январь/февраль/март/апрель/май/июнь/июль/август/сентябрь/октябрь/ноябрь/декабрь",
        **health_words.SENTENCES["ru"],
    },
    "en": {
        "title": "[{company}: ]{period}",
        "running": "The period is not over: figures as of {when}.",
        "nps": "{survey} {value} ({low} to {high})[, {mark}]",
        "csat": "{survey}: {value} satisfied ({low} to {high})[, {mark}]",
        "ces": "{survey}: easy for {value} ({low} to {high})[, {mark}]",
        "mark.small": "few answers",
        "bands.nps": "Promoters {high}, passives {neutral}, detractors {low}. Answers: {n}.",
        "bands.csat": "High {high}, neutral {neutral}, low {low}. Answers: {n}.",
        "bands.ces": "Neutral {neutral}, hard for {low}. Answers: {n}.",
        "mean.nps": "Mean {mean} of {last}.",
        "mean.csat": "Mean {mean} of {last}[ ({low} to {high})].",
        "mean.ces": "Ease {mean} of {last}[ ({low} to {high})].",
        "few": "{survey}: too few answers ({n}) for a score",
        "few.bands": "High {high}, neutral {neutral}, low {low}.",
        "none": "{survey}: no answers",
        "before": "{period}: {value}, answers {n}. {verdict}",
        "before.few": "{period}: too few answers ({n}) to compare.",
        "asked": "Asked {n}[ of {m}], answered {value} ({share})[, {mark}].",
        "mark.collecting": "still coming in",
        "nobody": "Nobody has been asked yet.",
        "read.known": "{n} of {m} where that is told",
        "arrived": "Delivered {n}[ ({share} of them answered)][, read {m}].",
        "declined": "Asked for a call in place of a score: {n}.",
        "uncertain": "Perhaps not arrived: {n}.",
        "requests": "Asked for an answer: {n}, answered in the chat: {m}.",
        "not_sent": "Not asked {n}: {reason}.",
        "working.hours": "{n} h",
        "working.minutes": "{n} min",
        "frt.speed": "Half are answered within {mean}, 9 of 10 within {high} of working time.",
        "frt.within": "In time, within {age}: {share} ({low} to {high}), answers {n}.",
        "frt.few": "Too few answers ({n}) to tell the speed.",
        "frt.none": "No answers in working time.",
        "frt.before": "{period}: {value} in time. {verdict}",
        "frt.open": "Without an answer {n}, the longest wait is {age}[, with nobody responsible {m}].",
        "frt.off_hours": "Answers outside working time {n}: left out of the speed.",
        "frt.ended": "Conversations closed without an answer: {n}.",
        "frt.without_author": "Sent by nobody known (a robot, or a phone) {n} of {m}: no answers for us.",
        "frt.since": "Known since {when}.",
        "frt.person": "• {name}: half within {age}, in time {share}, answers {n}[, without an answer {m}]",
        "frt.person.few": "• {name}: too few answers ({n})[, without an answer {m}]",
        "frt.nothing": "amoCRM has told of no message of a client or manager: there is nothing to count.",
        "frt.nothing.seen": "The speed cannot be told: amoCRM has told of no message, and in our channels "
        "clients wrote {n:time/times}.",
        "frt.no_incoming": "The speed cannot be told: amoCRM does not report incoming messages. "
        "Outgoing {n}, incoming {m}.",
        "frt.no_answers": "The speed cannot be told: incoming {n}, and amoCRM does not tell who answered. "
        "So it is where people write from a phone or another program.",
        "iqs.score": "IQS {value} of 100 ({low} to {high}), scorecards {n}.",
        "iqs.few": "Too few scorecards ({n}) for a score.",
        "iqs.before": "{period}: {value}. {verdict}",
        "iqs.weakest": "The weakest: {name}, {share}.",
        "iqs.critical": "Critical failures: {n}.",
        "iqs.agreement": "Two people scored {n:call/calls}[, equal marks {share} ({low} to {high})].",
        "iqs.person": "• {name}: {value} ({low} to {high}), scorecards {n}",
        "iqs.person.few": "• {name}: too few scorecards ({n})",
        "iqs.comments": "Comments:",
        "iqs.comment": "• {name}: {words}",
        "managers": "By manager:",
        "subjects": "By who did the work:",
        "person": "• {name}: {value} ({low} to {high}), answers {n}",
        "person.few": "• Too few answers: {name}",
        "complaints.none": "No complaints, none open.",
        "complaints.flow": "Opened {n}, closed {m}, open now {open}.",
        "complaints.before": "{period}: opened {n}, closed {m}.",
        "complaints.time": "Resolved in {mean} on average; half within {low}, 9 of 10 within {high}.",
        "complaints.one": "Resolved in {mean}.",
        "complaints.typical": "With open ones counted, half are resolved within {age}.",
        "complaints.oldest": "The oldest has been open for {age}.",
        "complaints.ends": "Resolved {high}, rejected {low}[, opened again {n}].",
        "complaints.per_won": "Per 100 won deals: {value}[ ({low} to {high})].",
        "complaints.taken": "Taken in time {n} of {m}[ ({share})].",
        "complaints.contacted": "Contacted in time {n} of {m}[ ({share})].",
        "complaints.topic": "The commonest: {topic} ({n} of {m}).",
        "complaints.no_topic": "Closed without a reason: {n} of {m}.",
        "complaints.own": "Closed by whom it was about: {n} of {m}.",
        "complaints.recovered": "Content with the solution: {n} of {m}.",
        "topic.none": "not given",
        "topic.words": "in free words",
        "promise.take": "Take it",
        "promise.contact": "Speak to the client",
        "ages": "up to a day/1–3 days/3–7 days/7–30 days/more than 30 days",
        "referrals.none": "No won deals.",
        "referrals.deals": "By recommendation {n} of {m:won deal/won deals}: {share} ({low} to {high}).",
        "referrals.before": "{period}: {n} of {m}. {verdict}",
        "referrals.before.none": "{period}: no won deals.",
        "referrals.money": "{value} of {amount}[: {share}].",
        "referrals.check": "Average check by recommendation {high}, others {low}.",
        "codes": "Codes for friends handed out: {n}, used: {m} ({share}).",
        "codes.none": "No codes for friends were handed out.",
        "channel": "• {name}: asked {n}[, delivered {m}][, answered {value}][, failed {closed}]",
        "units": "How we count",
        "scale": "{value}, low to {low}, high from {high}",
        "yes": "yes",
        "no": "no",
        "other_scale": "Answers on another scale, apart: {value} (answers {n}).",
        "referrals.unmarked": "No discount noted: {n:deal/deals} of {m}. The share may be higher.",
        "referrals.problems": "To be looked at: {reason}.",
        "problem.self": "the client's own code",
        "problem.unknown": "an unknown code or number",
        "problem.ambiguous": "a mistyped code",
        "check": "Average check {value}, median {mean}[, without a price {n:deal/deals}].",
        "check.before": "{period}: {value}. {share} {verdict}",
        "check.up": "Up {value}.",
        "check.down": "Down {value}.",
        "fairness.less": "less often than others",
        "fairness.person": "• {name}: asked about {value} of {n:deal/deals}[, {mark}]"
        "[, tags set by hand {open}][, given to another after a low score {closed}]",
        "period.quarter": "{name} quarter of {n}",
        "period.year": "{n}",
        "months": "January/February/March/April/May/June/July/August/September/October/November/December",
        **health_words.SENTENCES["en"],
    },
}

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
