"""A signed link: it opens for whom it was made, until its time is over, and tells nobody whose it is."""

from datetime import UTC, datetime, timedelta

import pytest

from worker.rules.links import BadLinkError, sign, whose

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=12)
PEOPLE = [("telegram:1", "Анна"), ("max:1", "Вера")]


def test_it_opens_for_whom_it_was_signed_until_the_moment() -> None:
    assert whose(KEY, sign(KEY, "telegram:1", UNTIL), PEOPLE, NOW) == ("Анна", UNTIL)
    assert whose(KEY, sign(KEY, "max:1", UNTIL), PEOPLE, UNTIL - timedelta(seconds=1)) == ("Вера", UNTIL)


def test_from_its_moment_on_it_has_expired() -> None:
    with pytest.raises(BadLinkError, match="expired"):
        whose(KEY, sign(KEY, "telegram:1", UNTIL), PEOPLE, UNTIL)


def test_nobody_can_read_from_it_whose_it_is() -> None:
    assert "111222333" not in sign(KEY, "telegram:111222333", UNTIL)


def longer(token: str) -> str:
    """The same signature under a later moment."""
    seconds, _, signature = token.partition(".")
    return f"{int(seconds, 16) + 3600:x}.{signature}"


@pytest.mark.parametrize(
    "token",
    [
        "", ".", "x", "…", "\x00", "68be0000." + "A" * 43, "0" * 5000,
        sign(OTHER_KEY, "telegram:1", UNTIL),
        sign(KEY, "telegram:2", UNTIL),
        longer(sign(KEY, "telegram:1", UNTIL)),
        sign(KEY, "telegram:1", UNTIL)[:-1],
        sign(KEY, "telegram:1", UNTIL).upper(),
        sign(KEY, "telegram:1", UNTIL) + "\n",
        "fffffffff." + "A" * 43,
    ],
)  # fmt: skip
def test_whatever_else_opens_nothing(token: str) -> None:
    with pytest.raises(BadLinkError, match="token"):
        whose(KEY, token, PEOPLE, NOW)
