"""In the morning of a business day: to each head the complaints that are open, and the low scores since."""

from collections.abc import Collection, Sequence
from datetime import date

from integrations.channels.base import Outgoing
from storage import asked, complaints, mornings, outbox
from storage.mornings import Answered, Case
from storage.tables.deals import Deal
from storage.tables.queues import Outbox
from storage.tables.surveys import Survey
from worker.account.people import Staff
from worker.actions.alert_staff import wait_for_morning
from worker.actions.alert_words import staff_values
from worker.actions.base import Hands
from worker.actions.first_list import is_closed
from worker.actions.hearing import but
from worker.actions.reaching import reach
from worker.rules.formats import cut_words, join_words
from worker.rules.moments import age_text, day_text
from worker.rules.mornings import Morning, due_morning, morning_of
from worker.rules.scale import Band
from worker.staff.commands import HEAD, LEADERS

KIND = "send_daily"
MOST_LINES = 25  # of 100 signs each: with three quotes they stay below Telegram's 4096
MOST_QUOTES = 3


async def look_for_morning(hands: Hands) -> int:
    """Ask for today's messages once their time has come; a row for each person, however many workers look."""
    now = hands.now()
    morning = due_morning(now, hands.reports.daily, hands.calendar)
    if morning is None:
        return 0
    keys = {f"{KIND}:{morning.day}:{person.key}": person for person in _readers(hands)}
    async with hands.db.reading() as tx:
        known = await outbox.known_among(tx, list(keys))
    new = {key: person for key, person in keys.items() if key not in known}
    if not new:
        return 0
    async with hands.db.transaction() as tx:
        for key, person in new.items():
            about = {"day": morning.day.isoformat(), "staff": person.key}
            await outbox.add_once(tx, KIND, key, about, now, now)
    hands.wake.act.set()
    return len(new)


async def send_daily(item: Outbox, hands: Hands) -> None:
    """To one person. Nothing when there is nothing, and nothing any more when the morning is over."""
    wait_for_morning(hands)
    morning = morning_of(date.fromisoformat(item.payload["day"]), hands.reports.daily, hands.calendar)
    person = next((one for one in _readers(hands) if one.key == item.payload["staff"]), None)
    if morning is None or person is None or morning.is_over(hands.now()):
        return
    text = await _text(hands, person, morning)
    if text:
        await reach(hands, person.places, Outgoing(text=text))


def _readers(hands: Hands) -> Sequence[Staff]:
    """The heads; and the owners, for what is about a head, or where there is none."""
    return [person for person in hands.known.staff if person.role in LEADERS]


def _readers_of(hands: Hands, about: Collection[int]) -> Sequence[Staff]:
    """Of what is about these amoCRM users: nobody reads here what was said of themselves."""
    able = but(_readers(hands), about)
    return [person for person in able if person.role == HEAD] or able


async def _text(hands: Hands, person: Staff, morning: Morning) -> str:
    async with hands.db.reading() as tx:
        found = await mornings.open_complaints(tx, opened_before=morning.at)
        about = [await complaints.rated_low(tx, one[0]) for one in found]
        cases = [one for one, who in zip(found, about, strict=True) if _is_theirs(hands, person, one, who)]
        answered = [
            one
            for one in await mornings.answers(tx, morning.since, morning.until)
            if person in _readers_of(hands, _about(one[0]))
            and person.follows(_pipeline(one[0], one[1]), one[0].manager_id)
        ]
    quotes = await _quotes(hands, answered)
    if not cases and not quotes and not any(survey.band == Band.LOW for survey, *_ in answered):
        return ""
    closed = [hands.texts.fill("rollout.closed.how")] if await is_closed(hands) else []
    parts = _complaints(hands, cases, morning), _answers(hands, answered, morning, quotes), closed
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _pipeline(survey: Survey | None, deal: Deal | None) -> int:
    if deal is not None:
        return deal.pipeline_id
    return survey.pipeline_id if survey is not None else 0


def _about(survey: Survey) -> Collection[int]:
    return (survey.manager_id,) if survey.subject_is_manager else ()


def _is_theirs(hands: Hands, person: Staff, case: Case, about: Collection[int]) -> bool:
    """One opened by hand is of no sales pipeline: it goes by its manager, and to all if it is nobody's.

    `about`: the amoCRM users whom its low scores are about.
    """
    complaint, survey, deal, _ = case
    readers = _readers_of(hands, about)
    if person not in readers:
        return False
    pipeline = _pipeline(survey, deal)

    def follows(one: Staff) -> bool:
        if not pipeline:
            return not one.pipelines and one.follows(0, complaint.manager_id)
        return one.follows(pipeline, complaint.manager_id)

    return follows(person) or not any(follows(one) for one in readers)


def _complaints(hands: Hands, cases: Sequence[Case], morning: Morning) -> list[str]:
    """What is overdue first, then the oldest."""
    if not cases:
        return []
    now, texts = hands.now(), hands.texts

    def is_overdue(case: Case) -> bool:
        return case[0].deadline is not None and case[0].deadline <= now and not case[0].is_contacted

    said = [texts.fill("morning.title", when=day_text(texts, morning.day))]
    for case in sorted(cases, key=lambda case: not is_overdue(case))[:MOST_LINES]:
        complaint, survey, deal, client = case
        values = staff_values(hands, client=client, deal=deal, survey=survey, complaint=complaint, now=now)
        values = {**values, "age": age_text(texts, now - complaint.opened_at)}
        if not values["deal"] and client is None:
            values["client"] = complaint.name
        line = texts.fill("morning.line" if survey is not None else "morning.line.by_hand", **values)
        said.append(f"{line} · {texts.fill('morning.overdue')}" if is_overdue(case) else line)
    if len(cases) > MOST_LINES:
        said.append(texts.fill("morning.more", n=len(cases) - MOST_LINES))
    return said


def _answers(
    hands: Hands, answered: Sequence[Answered], morning: Morning, quotes: Sequence[str]
) -> list[str]:
    """How many, and what clients wrote."""
    if not answered:
        return []
    texts, bands = hands.texts, [survey.band for survey, *_ in answered]
    counts: dict[str, int | str] = {
        "n": len(answered), "high": bands.count(Band.HIGH), "low": bands.count(Band.LOW)
    }  # fmt: skip
    if morning.is_about_yesterday:
        said = texts.fill("morning.yesterday", **counts)
    else:
        said = texts.fill("morning.since", when=day_text(texts, morning.since.date()), **counts)
    return [said, *quotes]


async def _quotes(hands: Hands, answered: Sequence[Answered]) -> list[str]:
    """The words under the low scores first: what disturbed nobody yesterday is read here."""
    said: list[str] = []
    for survey, deal, client in sorted(answered, key=lambda one: one[0].band != Band.LOW):
        if len(said) == MOST_QUOTES:
            break
        async with hands.db.reading() as tx:
            words = cut_words(join_words(await asked.words_of(tx, survey.id or 0)))
        if words:
            values = staff_values(hands, client=client, deal=deal, survey=survey, now=hands.now())
            said.append(hands.texts.fill("morning.quote", **{**values, "words": words}))
    return said
