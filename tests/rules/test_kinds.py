"""What each kind of survey asks, on which scale, and after which delay."""

from datetime import timedelta

import pytest

from worker.rules.duration import Duration
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import Band, Option, Scale

FIVE = Scale(first=1, last=5, low=3, high=5)
TEN = Scale(first=1, last=10, low=5, high=9)
WORDS = Scale(first=2, last=5, low=2, high=5, options=(Option("Отлично", 5), Option("Плохо", 2)))


def test_three_kinds_are_known_by_their_keys() -> None:
    assert {key: kind.key for key, kind in KINDS.items()} == {"nps": "nps", "csat": "csat", "ces": "ces"}


@pytest.mark.parametrize(
    ("metric", "ends", "bands"),
    [
        ("nps", (0, 10), (6, 9)),  # the textbook
        ("nps", (1, 10), (5, 9)),
        ("nps", (1, 5), (3, 5)),
        ("csat", (1, 5), (3, 5)),
        ("ces", (1, 5), (2, 4)),
        ("nps", (1, 4), None),  # by the cuts of 0-10 everybody would be a detractor
        ("nps", (1, 7), None),
        ("csat", (0, 10), None),
        ("csat", (2, 5), None),  # «Отлично», «Удовлетворительно», «Плохо»: the config has to say
        ("ces", (1, 4), None),
    ],
)
def test_bands_follow_the_scale(metric: str, ends: tuple[int, int], bands: tuple[int, int] | None) -> None:
    assert KINDS[metric].bands(*ends) == bands


@pytest.mark.parametrize(
    ("metric", "ends", "worst", "best"),
    [
        ("nps", (0, 10), [0, 1, 2, 3, 4, 5, 6], [7, 8, 9, 10]),
        ("nps", (1, 10), [1, 2, 3, 4, 5], [6, 7, 8, 9, 10]),
        ("nps", (1, 5), [1, 2, 3], [4, 5]),
        ("csat", (1, 5), [1, 2, 3], [4, 5]),
        ("ces", (1, 5), [1, 2], [3, 4, 5]),
    ],
)
def test_which_scores_are_a_complaint(
    metric: str, ends: tuple[int, int], worst: list[int], best: list[int]
) -> None:
    first, last = ends
    low, high = KINDS[metric].known_bands[ends]
    scale = Scale(first=first, last=last, low=low, high=high)
    assert [score for score in scale.values if scale.band(score) is Band.LOW] == worst
    assert [score for score in scale.values if scale.band(score) is not Band.LOW] == best


@pytest.mark.parametrize(
    ("metric", "scale", "delay"),
    [
        ("nps", TEN, Duration(business_days=1)),
        ("csat", FIVE, Duration(timedelta(days=14))),
        ("ces", Scale(first=1, last=5, low=2, high=4), Duration(timedelta(days=14))),
    ],
)
def test_defaults(metric: str, scale: Scale, delay: Duration) -> None:
    assert (KINDS[metric].scale(), KINDS[metric].default_delay) == (scale, delay)


@pytest.mark.parametrize(
    ("metric", "trigger", "subject", "scale", "key"),
    [
        ("nps", "deal_won", "", TEN, "nps.question"),
        ("nps", "deal_status", "", Scale(first=0, last=10, low=6, high=9), "nps.question"),
        ("nps", "deal_won", "", FIVE, "nps5.question"),
        ("nps", "deal_lost", "", TEN, "lost.question"),
        ("csat", "deal_won", "manager", FIVE, "csat_manager.question"),
        ("csat", "deal_won", "field", FIVE, "csat_field.question"),
        ("csat", "deal_won", "manager", WORDS, "csat_manager.question"),
        ("csat", "deal_won", "", FIVE, "csat.question"),
        ("csat", "deal_won", "", WORDS, "csat.question.options"),
        ("csat", "complaint_closed", "manager", FIVE, "complaint.question"),
        ("ces", "deal_won", "", FIVE, "ces.question"),
        ("ces", "deal_lost", "manager", FIVE, "lost.question"),
        ("ces", "deal_won", "", WORDS, "ces.question"),
        ("nps", "deal_won", "manager", TEN, "nps.question"),
    ],
)
def test_which_question_is_asked(metric: str, trigger: str, subject: str, scale: Scale, key: str) -> None:
    assert KINDS[metric].question_key(trigger, subject, scale) == key


@pytest.mark.parametrize(
    ("metric", "trigger", "key"),
    [
        ("nps", "deal_won", "opening.nps"),
        ("csat", "deal_won", "opening.later"),
        ("ces", "deal_status", "opening.later"),
        ("nps", "deal_lost", "opening.lost"),
        ("csat", "complaint_closed", "opening.complaint"),
    ],
)
def test_how_a_conversation_begins(metric: str, trigger: str, key: str) -> None:
    assert KINDS[metric].opening_key(trigger) == key


@pytest.mark.parametrize(
    ("metric", "trigger", "band", "key"),
    [
        ("nps", "deal_won", Band.HIGH, "nps.thanks_high"),
        ("csat", "deal_won", Band.NEUTRAL, "csat.thanks_neutral"),
        ("ces", "deal_status", Band.LOW, "ces.thanks_low"),
        ("csat", "complaint_closed", Band.LOW, "complaint.thanks_low"),
        ("csat", "complaint_closed", Band.NEUTRAL, "complaint.thanks_high"),
        ("csat", "complaint_closed", Band.HIGH, "complaint.thanks_high"),
        ("nps", "deal_lost", Band.LOW, "lost.thanks"),
    ],
)
def test_how_the_client_is_thanked(metric: str, trigger: str, band: Band, key: str) -> None:
    assert KINDS[metric].thanks_key(trigger, band) == key


@pytest.mark.parametrize(
    ("metric", "subject", "language", "title"),
    [
        ("nps", "", "ru", "NPS"),
        ("csat", "", "ru", "CSAT"),
        ("csat", "manager", "ru", "Оценка менеджера"),
        ("csat", "manager", "en", "Manager's rating"),
        ("csat", "field", "ru", "Оценка мастеров"),
        ("ces", "manager", "en", "CES"),
    ],
)
def test_titles(metric: str, subject: str, language: str, title: str) -> None:
    assert KINDS[metric].title_for(subject, language) == title


def test_every_kind_has_words_in_both_languages() -> None:
    titles = [titles for kind in KINDS.values() for titles in (kind.title, *kind.subjects.values())]
    assert all(set(words) == {"ru", "en"} and all(words.values()) for words in titles)
