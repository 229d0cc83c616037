"""Is a reply an answer to our question? What was said last, and when, decides before the words do."""

from dataclasses import dataclass
from datetime import timedelta

from worker.rules.answer import read_answer
from worker.rules.answer_readings import Ask, Comment, OptOut, Reading, Score
from worker.rules.scale import Band, Scale

EDIT_WINDOW = timedelta(days=3)  # a score may be corrected this long after the first answer
BARE_EDIT_WINDOW = timedelta(hours=1)  # a number alone corrects a score this long after it
LATE_WINDOW = timedelta(days=7)  # a typed number counts this long after expiry, and only with a marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reply stands in the conversation.

    `is_exact`: a tap or a quote says itself what it answers. `is_ours_last`: nobody of the company wrote
    there after our question. `answered` and `expired`: how long ago, None if that has not happened.
    """

    is_exact: bool = False
    is_ours_last: bool = True
    answered: timedelta | None = None
    expired: timedelta | None = None


ASKED = Place()


def read_reply(text: str, scale: Scale | None, place: Place = ASKED) -> Reading:
    """`read_answer` for a reply that stands there; what cannot answer us is words, and is not asked about."""
    return settled(read_answer(text, scale if _admits_scores(place) else None), text, place)


def settled(reading: Reading, text: str, place: Place) -> Reading:
    """A score that does not count is words, and so is what only looks like an answer to us."""
    match reading:
        case Score() if not _counts(reading, place):
            return Comment(text, wants_reply=reading.wants_reply, rule=f"not_{reading.rule}")
        case OptOut(value=int(value)) if not _counts(Score(value), place):
            return OptOut(comment=reading.comment)
        case Ask() if not _may_ask(place):
            return Comment(text, wants_reply=reading.wants_reply, rule=f"not_{reading.rule}")
        case _:
            return reading


def is_school_mark(score: Score, scale: Scale) -> bool:
    """A bare typed 4 or 5 on a ten-point scale, where it is low: recorded, and asked about once."""
    is_low = scale.band(score.value) is Band.LOW
    return score.is_bare and is_low and scale.last == 10 and score.value in (4, 5)


def _may_ask(place: Place) -> bool:
    """Only about the question that is open."""
    is_open = place.is_ours_last and place.expired is None
    return place.answered is None and (place.is_exact or is_open)


def _admits_scores(place: Place) -> bool:
    if place.is_exact:
        return True
    if place.answered is not None:
        return place.answered <= EDIT_WINDOW
    return place.expired is None or place.expired <= LATE_WINDOW


def _counts(score: Score, place: Place) -> bool:
    if place.is_exact:
        return True
    if not place.is_ours_last:
        return False  # «Сколько створок?» — «3» answers the manager.
    if place.answered is not None:
        return score.has_marker or place.answered <= BARE_EDIT_WINDOW
    return score.has_marker or place.expired is None
