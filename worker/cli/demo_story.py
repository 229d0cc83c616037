"""The demo's story, line by line: the first of each kind is told, what repeats is summed up by week."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from integrations.standins.amocrm_model import LEADS, Lead
from integrations.standins.town import Town
from worker.cli.demo_count import Tally
from worker.cli.demo_people import COMPLAINTS, Seen
from worker.cli.demo_town import HEAD, TITLES, ZONE, Order, T
from worker.clock import Clock
from worker.rules.formats import amount, cut_words
from worker.rules.phone import mask

MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
CHAPTERS = {7: "Июль", 8: "Август", 9: "Сентябрь"}
BRIEF = 110  # characters of what is told once more
SHORT = {
    "nps": "NPS",
    "csat_manager": "менеджеру",
    "csat_crew": "мастерам",
    "ces": "простота",
    "solved": "о решении",
}
# What is told each time; of the rest of the cards only what is new.
NEWS_OF_COMPLAINTS = ("complaint", "task", "responsible", "status")
NEWS_OF_SALES = ("task", "tag", "note Клиент пришёл по")
PHONE = re.compile(r"(?:\+7|\b8)(?:[ -]?\d){10}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`who` does or gets `text`; `style` says what sort of a thing it is."""

    when: str
    who: str
    text: str
    style: str  # client, bot, amocrm, staff, week


class Page(Protocol):
    """Where the story is written."""

    def chapter(self, title: str) -> None: ...
    def line(self, line: Line) -> None: ...
    def turn(self, now: datetime) -> None:
        """The time moves on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something new in a deal's card."""

    kind: str
    text: str
    brief: str = ""  # how it is told the next time


@dataclass(slots=True)
class Week:
    """Everything that its days brought, told in lines or not."""

    first: date
    last: date
    won: int = 0
    asked: int = 0
    reminded: int = 0
    scores: dict[str, list[int]] = field(default_factory=dict)

    def days(self) -> str:
        """Within a month: «6–10 июля»."""
        return _day(self.last) if self.first == self.last else f"{self.first.day}–{_day(self.last)}"

    def words(self) -> str:
        counts = {"выиграно сделок": self.won, "вопросов": self.asked, "напоминаний": self.reminded}
        said = [f"{what}: {count}" for what, count in counts.items() if count]
        if self.scores:
            scores = (f"{SHORT[key]} {_listed(self.scores[key])}" for key in TITLES if key in self.scores)
            said.append("ответы: " + "; ".join(scores))
        return ", ".join(said)


class Story:
    """Hears what people do, looks at what the worker has done, and tells it."""

    def __init__(self, page: Page, clock: Clock, town: Town, tally: Tally) -> None:
        self.page = page
        self.clock = clock
        self.town = town
        self.tally = tally
        self._told: set[str] = set()  # kinds that were told in full
        self._week: Week | None = None
        self._marks = _Marks()

    # What people do

    def closed(self, order: Order, lead: Lead, *, friend: str) -> None:
        self.tally.closed(order)
        what = "проиграна" if order.is_lost else "выиграна"
        self._this_week.won += not order.is_lost
        is_first = self._is_new(f"closed {order.by}")
        if not (is_first or order.aside or friend):
            return
        parts = [
            f"{what} сделка «{order.what}», {amount(order.price)}. Клиент: {order.client or 'не указан'}."
        ]
        if is_first:
            parts.append(f"Менеджер: {order.manager}. {order.crew}.")
        if friend:
            parts.append(f"В поле {friend}.")
        if order.aside:
            parts.append(f"({order.aside[0].upper()}{order.aside[1:]}.)")
        self._tell("amoCRM", " ".join(parts), "amocrm")

    def linked(self, order: Order) -> None:
        """What follows from it is told of the first, and where it does not end as it usually does."""
        if self._is_new("linked") or order.blocks_bot or not order.has_phone:
            self._tell(
                order.client,
                "открывает ссылку из карточки сделки: QR-код на акте ведёт в Telegram-бота",
                "client",
            )

    def said(self, name: str, channel: str, text: str, *, key: str, is_tap: bool, is_special: bool) -> None:
        how = "выбирает" if is_tap else "пишет"
        if is_special or self._is_new(f"said {how} {channel}"):
            self._tell(
                f"{name} → {channel}",
                text if text.startswith("(") else f"{how} «{text}»",
                "client",
            )

    def answered(self, key: str, name: str, score: int) -> None:
        self.tally.answered(key, score)
        self._this_week.scores.setdefault(key, []).append(score)

    def marked(self, marks: Sequence[str]) -> None:
        self.tally.cards.append(tuple(marks))
        if self._is_new("marked"):
            self._tell(HEAD, "слушает звонки прошлой недели и ставит отметки под карточками", "staff")

    def did(self, who: str, what: str) -> None:
        self._tell(who, what, "staff" if who == HEAD else "client")

    # What came of it

    def look(self, news: Sequence[Seen]) -> None:
        """After the worker's step: messages to clients, changes in amoCRM, messages to the head."""
        for seen in news:
            if seen.to != HEAD:
                self.tally.got(seen)
                self._to_client(seen)
        self._in_amocrm()
        for seen in news:
            if seen.to == HEAD:
                self._to_head(seen)

    def turn(self, now: datetime) -> None:
        """The clock moves: a new week sums up the old one, a new month begins a chapter."""
        today = now.astimezone(ZONE).date()
        week = self._week
        is_new_month = week is None or today.month != week.last.month
        if week is None or is_new_month or today.isocalendar().week != week.last.isocalendar().week:
            self.end_week()
            self._week = Week(first=today, last=today)
        if is_new_month and today.month in CHAPTERS:
            self.page.chapter(CHAPTERS[today.month])
        if week is None or today != week.last:
            self.page.turn(now)
        self._this_week.last = today

    @property
    def _this_week(self) -> Week:
        if self._week is None:
            raise RuntimeError("the story has not begun: the clock has not moved yet")
        return self._week

    def end_week(self) -> None:
        if self._week is not None and (words := self._week.words()):
            self.page.line(Line(when=self._week.days(), who="за неделю", text=words, style="week"))

    def _to_client(self, seen: Seen) -> None:
        if seen.is_reminder:
            self._this_week.reminded += 1
        elif seen.question:
            self._this_week.asked += 1
        if self._is_new(_kind(seen)):
            self._tell(f"{seen.channel} → {seen.to}", f"«{seen.text}»{_shown(seen.labels)}", "bot")

    def _to_head(self, seen: Seen) -> None:
        is_alert, is_result = "Низкая оценка" in seen.text, "Что сделали?" in seen.text
        is_card = "½" in seen.labels
        is_new = self._is_new("alert" if is_alert else "card" if is_card else seen.text.split()[-1])
        if (is_result or is_card) and not is_new:
            return
        if is_alert and not is_new:
            # Whose deal it is, the complaint's line in amoCRM has just said.
            text = " · ".join(seen.text.partition("\n\n")[0].splitlines())
        else:
            text = f"{seen.text}{_shown(seen.labels)}" if is_new else cut_words(_first(seen.text), BRIEF)
            text = re.sub(r"\nЗапись: \S+\s+", " · ", text)  # of a card, which then is one line
        self._tell(f"{T} → {HEAD}, руководитель", re.sub(r"\n+", "\n", text), "staff")

    def _in_amocrm(self) -> None:
        """What the worker wrote there; people's own changes bear a user's name."""
        amocrm, complaints = self.town.amocrm, self.town.amocrm.pipeline(COMPLAINTS).id
        for lead_id, changes in self._marks.news(self.town).items():
            lead = amocrm.leads[lead_id]
            name = next((amocrm.contacts[contact].name for contact in lead.contact_ids), "без контакта")
            if refusal := next((change.text for change in changes if "Не спросили" in change.text), ""):
                self._refused(lead, name, refusal)
                continue
            is_complaint = lead.pipeline_id == complaints
            words = list(self._worth_telling(changes, is_complaint=is_complaint))
            if words:
                card = f"рекламация ({name})" if is_complaint else f"сделка «{lead.name}» ({name})"
                self._tell("amoCRM", f"{card}: {'; '.join(words)}", "amocrm")

    def _worth_telling(self, changes: Sequence[Change], *, is_complaint: bool) -> Iterator[str]:
        always = NEWS_OF_COMPLAINTS if is_complaint else NEWS_OF_SALES
        is_opening = any(change.kind == "complaint" for change in changes)
        for change in changes:
            if is_complaint and (
                not change.kind.startswith(always) or (is_opening and "note" in change.kind)
            ):
                continue  # The first note says what the alert says.
            if self._is_new(change.kind):
                yield change.text
            elif change.kind.startswith(always):
                yield change.brief or change.text

    def _refused(self, lead: Lead, name: str, words: str) -> None:
        reason = words.partition("Не спросили: ")[2].rstrip("»")
        if self._is_new(f"refused {reason}"):
            self._tell("amoCRM", f"сделка «{lead.name}» ({name}): {words}", "amocrm")

    # Telling

    def _is_new(self, kind: str) -> bool:
        is_new = kind not in self._told
        self._told.add(kind)
        return is_new

    def _tell(self, who: str, text: str, style: str) -> None:
        now = self.clock.now().astimezone(ZONE)
        text = PHONE.sub(lambda found: mask(f"7{found[0][-13:]}" if found[0][0] == "8" else found[0]), text)
        self.page.line(Line(when=f"{_day(now.date())}, {now:%H:%M}", who=who, text=text, style=style))


class _Marks:
    """How far the story has looked into amoCRM."""

    def __init__(self) -> None:
        self._event = 0
        self._note = 0
        self._task = 0

    def news(self, town: Town) -> Mapping[int, Sequence[Change]]:
        """What is new, by deal."""
        found: dict[int, list[Change]] = {}
        for lead_id, change in [*self._events(town), *self._notes(town), *self._tasks(town)]:
            found.setdefault(lead_id, []).append(change)
        return found

    def _events(self, town: Town) -> Iterator[tuple[int, Change]]:
        amocrm = town.amocrm
        events, self._event = amocrm.events[self._event :], len(amocrm.events)
        for event in events:
            if event.created_by or event.entity_type != "lead":
                continue
            lead_id, after = event.entity_id, event.value_after
            match event.type:
                case "lead_added":
                    lead = amocrm.leads[lead_id]
                    who = amocrm.users[lead.responsible_user_id].name
                    text = f"новая сделка «{lead.name}», ответственный — {who}"
                    yield lead_id, Change(kind="complaint", text=text)
                case "custom_field_value_changed" if after:
                    value = after[0]["custom_field_value"]
                    name = amocrm.custom_fields[LEADS][value["field_id"]].name
                    text = re.sub(r"(?<=start=)[\w-]+", "…", value["text"])
                    yield lead_id, Change(kind=f"field {name}", text=f"«{name}» = «{text}»")
                case "entity_responsible_changed":
                    user = amocrm.users[after[0]["responsible_user"]["id"]].name
                    yield lead_id, Change(kind="responsible", text=f"ответственный — {user}")
                case "lead_status_changed":
                    yield lead_id, Change(kind="status", text="закрыта, решено")
                case "entity_tag_added":
                    yield lead_id, Change(kind="tag", text=f"метка «{after[0]['tag']['name']}»")
                case _:
                    continue  # Nothing that a reader of the story would care for.

    def _notes(self, town: Town) -> Iterator[tuple[int, Change]]:
        for note in town.amocrm.notes.values():
            if note.id > self._note and note.kind == LEADS and note.text:  # of a call there are no words
                kind = re.sub(r"\d+", "", " ".join(note.text.split()[:3]))
                text = f"примечание «{cut_words(_plain(note.text), 160)}»"
                yield note.entity_id, Change(kind=f"note {kind}", text=text)
        self._note = max(town.amocrm.notes, default=0)

    def _tasks(self, town: Town) -> Iterator[tuple[int, Change]]:
        for task in town.amocrm.tasks.values():
            if task.id > self._task and task.entity_id is not None:
                until = datetime.fromtimestamp(task.complete_till, ZONE)
                who = town.amocrm.users[task.responsible_user_id].name
                brief = f"задача до {_day(until.date())}, {until:%H:%M}, {who}"
                text = f"{brief}: «{cut_words(_plain(task.text), 120)}»"
                yield task.entity_id, Change(kind="task", text=text, brief=brief)
        self._task = max(town.amocrm.tasks, default=0)


def _kind(seen: Seen) -> str:
    """What makes two messages one kind: the wording, without names, numbers, codes and dates.

    The first question is told for each channel: a poll is not a row of buttons.
    """
    if seen.is_reminder:
        return "reminder"
    if seen.question:
        return f"question {seen.question} {seen.channel if seen.question == 'nps' else ''}"
    text = re.sub(r" \([^)]*\)|(?<=^Здравствуйте), [^!]*", "", seen.text)
    text = re.sub(
        r"Мы свяжемся с вами[^.]*\.|с вами свяжутся[^.]*\.|Ответим[^.]*\.|позвоним[^.]*\.", "", text
    )
    return re.sub(r"[0-9]+", "N", text)


def _first(text: str) -> str:
    """Without how to answer a client's words."""
    return text.partition("\nОтветьте на это")[0]


def _shown(labels: Sequence[str]) -> str:
    """Buttons, a row of numbers put together."""
    numbers = [label for label in labels if label.isdigit()]
    rest = [label for label in labels if not label.isdigit()]
    shown = [f"{numbers[0]} … {numbers[-1]}"] if len(numbers) > 2 else numbers
    return "".join(f" [{label}]" for label in [*shown, *rest])


def _plain(text: str) -> str:
    """Without addresses of this machine, and what leads to them."""
    return re.sub(r"\s*(?:Исходная сделка: |Сделка: )?(?:«[^»]*», )?https?://\S+", "", text)


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _listed(scores: Sequence[int]) -> str:
    return ", ".join(str(score) for score in scores)
