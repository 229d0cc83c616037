"""What each messenger did with its questions, and that it adds up with what the surveys say."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.made import CES, CSAT, NOW, NPS, QUARTER, SPRING, SUMMER, survey
from tests.metrics.test_report import told
from worker.metrics import channels, surveys
from worker.metrics.base import Asked, Facts, SurveyFact
from worker.metrics.channels import ChannelResult

ASKED = (NPS, CSAT, CES)
TELLING = frozenset({"whatsapp", "max_account", "telegram_account"})
NAMES = ("telegram", "whatsapp", "max", "max_account", "telegram_account")


def facts(rows: Iterable[SurveyFact]) -> Facts:
    return Facts(now=NOW, asked=ASKED, surveys=tuple(rows), delivery_told_by=TELLING, reading_told_by=TELLING)


def by_name(*rows: SurveyFact) -> dict[str, ChannelResult]:
    return dict(channels.compute(facts(rows), QUARTER).by_name)


def test_without_questions_there_is_no_channel() -> None:
    assert by_name() == {}


def test_a_channel_that_tells_nothing_has_no_zero_for_what_it_does_not_tell() -> None:
    silent = by_name(survey(channel="telegram"))["telegram"]
    telling = by_name(survey(channel="whatsapp", was_delivered=False, was_read=False))["whatsapp"]
    assert (silent.sent, silent.delivered, silent.read) == (1, None, None)
    assert (telling.sent, telling.delivered, telling.read) == (1, 0, 0)


def test_a_channel_counts_by_the_day_of_the_question_and_answers_so_far() -> None:
    late = QUARTER.ends + timedelta(days=1)
    found = by_name(
        survey(score=9, channel="max", answered_at=late),
        survey(score=9, channel="max", settled_at=SPRING, answered_at=SUMMER),
    )
    assert (found["max"].sent, found["max"].answered) == (1, 1)


def test_what_failed_is_no_sending_of_that_channel() -> None:
    found = by_name(
        survey(channel="whatsapp", failed_on=("max_account",)),
        survey(refusal="failed", channel="max_account", failed_on=("max_account", "telegram")),
        survey(refusal="opted_out", channel=""),
    )
    assert {name: (of.sent, of.failed) for name, of in found.items()} == {
        "whatsapp": (1, 0),
        "max_account": (0, 2),
        "telegram": (0, 1),
    }
    assert found["max_account"].delivered == 0


def test_what_is_in_none_of_the_surveys_is_in_none_of_the_channels() -> None:
    gone = Asked(key="old", metric="nps", title="", scale=NPS.scale)
    once_another = survey(replace(NPS, metric="csat"), channel="max")
    assert by_name(survey(gone, channel="max"), once_another) == {}


@st.composite
def rows(draw: st.DrawFn) -> SurveyFact:
    name = draw(st.sampled_from(NAMES))
    tells = name in TELLING
    asked = draw(st.sampled_from(ASKED))
    refusal = draw(st.sampled_from(("", "", "", "failed", "unreachable", "opted_out")))
    is_answered = not refusal and draw(st.booleans())
    return survey(
        asked,
        asked.scale.last if is_answered else None,
        settled_at=draw(st.sampled_from((SUMMER, SUMMER, SPRING, QUARTER.begins, QUARTER.ends))),
        refusal=refusal,
        channel="" if refusal == "opted_out" else name,
        failed_on=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=3))),
        was_delivered=draw(st.booleans()) or is_answered if tells else None,
        was_read=draw(st.booleans()) if tells else None,
        is_uncertain=draw(st.booleans()),
    )


@given(st.lists(rows(), max_size=60))
def test_the_channels_add_up_to_the_surveys(given_rows: list[SurveyFact]) -> None:
    of_surveys = surveys.compute(facts(given_rows), QUARTER).by_key.values()
    of_channels = channels.compute(facts(given_rows), QUARTER).by_name.values()
    for figure in ("sent", "answered", "uncertain"):
        assert sum(getattr(of, figure) for of in of_channels) == sum(
            getattr(of.funnel, figure) for of in of_surveys
        )
    for of in of_channels:
        assert of.sent or of.failed
        assert of.sent >= max(of.answered, of.uncertain, of.delivered or 0, of.read or 0)


# The lines of the report


def lines(*given_rows: SurveyFact, language: str = "ru") -> list[str]:
    found = told(
        given_rows, language=language, delivery_told_by=TELLING, reading_told_by=TELLING, min_answers=1
    )
    title = {"ru": "Каналы", "en": "Channels"}[language]
    return found[found.index(title) + 1 :][:3] if title in found else []


def test_one_channel_without_a_failure_is_no_news() -> None:
    found = told([survey(score=9, channel="whatsapp")], delivery_told_by=TELLING)
    assert not any(line.startswith(("Каналы", "• WhatsApp")) for line in found)


def test_one_channel_that_failed_is_told() -> None:
    assert (
        lines(
            survey(score=9, channel="whatsapp", was_delivered=True),
            survey(refusal="failed", channel="whatsapp", failed_on=("whatsapp",)),
        )[0]
        == "• WhatsApp: спросили 1, доставлено 1, ответили 1, не дошло 1"
    )


def test_several_channels_have_a_line_each_the_busiest_first() -> None:
    given_rows = (
        *[survey(channel="telegram")] * 3,
        survey(score=10, channel="telegram"),
        survey(channel="whatsapp", was_delivered=False, failed_on=("max_account",)),
    )
    assert lines(*given_rows) == [
        "• Telegram: спросили 4, ответили 1",
        "• WhatsApp: спросили 1, доставлено 0, ответили 0",
        "• MAX: спросили 0, не дошло 1",
    ]
    assert lines(*given_rows, language="en") == [
        "• Telegram: asked 4, answered 1",
        "• WhatsApp: asked 1, delivered 0, answered 0",
        "• MAX: asked 0, failed 1",
    ]


def test_of_two_channels_with_one_name_it_is_said_which_is_meant() -> None:
    found = lines(*[survey(channel="max")] * 2, survey(channel="max_account"))
    assert [line.partition(":")[0] for line in found[:2]] == ["• MAX (бот)", "• MAX (аккаунт)"]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_how_channels_are_counted_stands_below_only_where_they_are_shown(language: str) -> None:
    unit = channels.METRIC.unit[language]
    alone = told([survey(channel="max")], language=language)
    both = told([survey(channel="max"), survey(channel="telegram")], language=language)
    assert not any(unit in line for line in alone)
    assert any(unit in line for line in both)
