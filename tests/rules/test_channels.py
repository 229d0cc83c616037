"""When is a messenger said to fail? Tables at the edges, and laws."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.packs import pack, texts
from worker.rules.channels import (
    CAUSES,
    Arrived,
    Cause,
    Traffic,
    cause_of,
    channel_titles,
    has_fallen,
    has_recovered,
    is_heard,
    past_span,
    recent_span,
    silent_since,
    unheard_span,
)
from worker.rules.wording import placeholders_of

NOW = datetime(2026, 10, 5, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@st.composite
def arrived(draw: st.DrawFn, *, least: int = 0) -> Arrived:
    sent = draw(st.integers(least, 400))
    return Arrived(draw(st.integers(0, sent)), sent)


# Delivery


@pytest.mark.parametrize(
    ("recent", "usual", "is_told"),
    [
        (Arrived(12, 20), Arrived(95, 100), True),
        (Arrived(0, 20), Arrived(50, 50), True),
        (Arrived(0, 19), Arrived(50, 50), False),  # too few to say anything …
        (Arrived(0, 20), Arrived(49, 49), False),  # … or to compare with
        (Arrived(70, 100), Arrived(90, 100), True),  # twenty points and more than chance
        (Arrived(71, 100), Arrived(90, 100), False),  # nineteen
        (Arrived(700, 1000), Arrived(899, 1000), False),  # nineteen and nine tenths, however sure
        (Arrived(12, 20), Arrived(40, 50), False),  # twenty points, and chance all the same
        (Arrived(20, 20), Arrived(25, 50), False),  # a rise
        (Arrived(0, 0), Arrived(0, 0), False),
    ],
)
def test_a_fall_is_told_when_it_is_large_and_no_chance(
    recent: Arrived, usual: Arrived, is_told: bool
) -> None:
    assert has_fallen(recent, usual) is is_told


@pytest.mark.parametrize(
    ("recent", "is_over"),
    [
        (Arrived(18, 20), True),
        (Arrived(17, 20), True),  # five points below is as usual
        (Arrived(16, 20), False),  # ten are not
        (Arrived(19, 19), False),  # nobody knows yet
        (Arrived(0, 0), False),
    ],
)
def test_a_fall_is_over_when_about_as_much_arrives_as_before(recent: Arrived, is_over: bool) -> None:
    assert has_recovered(recent, Arrived(45, 50)) is is_over


@given(arrived(), arrived())
def test_what_has_fallen_has_not_recovered(recent: Arrived, usual: Arrived) -> None:
    assert not (has_fallen(recent, usual) and has_recovered(recent, usual))


@given(arrived(least=20), arrived(least=50))
def test_the_fewer_arrive_the_sooner_it_is_a_fall(recent: Arrived, usual: Arrived) -> None:
    if has_fallen(recent, usual):
        assert has_fallen(Arrived(recent.delivered // 2, recent.sent), usual)


@given(arrived(least=50))
def test_nothing_falls_below_itself(usual: Arrived) -> None:
    assert not has_fallen(usual, usual)


@given(arrived())
def test_a_share_for_people_is_a_whole_percent(of: Arrived) -> None:
    assert 0 <= of.percent <= 100
    assert of.sent == 0 or abs(of.percent - 100 * of.delivered / of.sent) <= 0.5


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - the zone is beside it
def test_the_two_spans_meet_and_leave_out_the_last_day(now: datetime) -> None:
    assert past_span(now).ends == recent_span(now).begins == now - timedelta(days=7)
    assert past_span(now).begins == now - timedelta(days=35)
    assert recent_span(now).ends == now - timedelta(hours=24)


# Silence


def traffic(sent: int = 10, *, heard_ago: timedelta | None = None) -> Traffic:
    return Traffic(
        sent=sent,
        first_sent_at=NOW - 20 * HOUR,
        last_heard_at=None if heard_ago is None else NOW - heard_ago,
    )


@pytest.mark.parametrize(
    ("of", "since"),
    [
        (traffic(), NOW - 20 * HOUR),
        (traffic(9), None),  # too few to wonder
        (traffic(heard_ago=25 * HOUR), NOW - 20 * HOUR),
        (traffic(heard_ago=24 * HOUR), None),
        (traffic(heard_ago=-HOUR), None),  # its clock is ahead of ours
        (Traffic(), None),
    ],
)
def test_a_channel_is_silent_when_ten_messages_brought_nothing_in_a_day(
    of: Traffic, since: datetime | None
) -> None:
    assert silent_since(of, NOW) == since


def test_a_message_that_has_just_gone_out_proves_nothing_yet() -> None:
    assert unheard_span(NOW) == (NOW - 24 * HOUR, NOW - HOUR)


@given(
    st.integers(0, 50),
    st.none() | st.timedeltas(timedelta(hours=-2), timedelta(days=40)),
)
def test_nothing_is_silent_and_heard(sent: int, heard_ago: timedelta | None) -> None:
    of = traffic(sent, heard_ago=heard_ago)
    assert silent_since(of, NOW) is None or not is_heard(of, NOW)


# States


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("notAuthorized", Cause("logged_out")),
        ("qridle", Cause("logged_out")),
        ("phoneUnavailable", Cause("phone")),
        ("offline", Cause("phone")),
        ("yellowCard", Cause("limited")),
        ("quotaExceeded", Cause("quota")),
        ("template nps_ru: PAUSED", Cause("template", "nps_ru: PAUSED")),
        ("template nps_ru: category MARKETING", Cause("template", "nps_ru: category MARKETING")),
        ("number: FLAGGED", Cause("meta", "FLAGGED")),
        ("account: ACCOUNT_RESTRICTION", Cause("meta", "ACCOUNT_RESTRICTION")),
        ("131031 the account is locked", Cause("meta", "131031 the account is locked")),
        ("somethingNew", Cause("unknown", "somethingNew")),
        ("template", Cause("unknown", "template")),
        ("отключён", Cause("unknown", "отключён")),
    ],
)
def test_what_a_gateway_says_of_itself_has_a_cause(reason: str, cause: Cause) -> None:
    assert cause_of(reason) == cause


@given(st.text(min_size=1))
def test_whatever_it_says_has_a_cause_with_words_in_both_languages(reason: str) -> None:
    cause = cause_of(reason)
    assert cause.key in CAUSES
    for language in ("ru", "en"):
        said = texts(language)
        words = said.fill(
            "channel.state",
            channel="Telegram (аккаунт)",
            cause=said.fill(f"channel.cause.{cause.key}", value=cause.detail),
            remedy=said.fill(f"channel.remedy.{cause.key}"),
        )
        assert len(words) <= 300


def test_every_cause_says_what_to_do_and_shows_its_detail_where_it_has_one() -> None:
    for language in ("ru", "en"):
        keys = {key for key in pack(language) if key.startswith("channel.cause.")}
        assert keys == {f"channel.cause.{key}" for key in CAUSES}
        for key in CAUSES:
            named = placeholders_of(pack(language)[f"channel.cause.{key}"])
            assert named == ({"value"} if key in ("template", "meta", "unknown") else set())
            remedy = pack(language)[f"channel.remedy.{key}"]
            assert remedy.endswith(".")
            assert placeholders_of(remedy) == set()


# Names


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        (["whatsapp", "max"], ["WhatsApp", "MAX"]),
        (["max", "max_account"], ["MAX (бот)", "MAX (аккаунт)"]),
        (["telegram_account", "telegram", "max"], ["Telegram (аккаунт)", "Telegram (бот)", "MAX"]),
        (["telegram_account"], ["Telegram"]),
        (["viber"], ["viber"]),  # of an older version, which had it
        ([], []),
    ],
)
def test_two_channels_with_one_name_are_told_apart(names: list[str], titles: list[str]) -> None:
    assert list(channel_titles(texts(), names).values()) == titles
