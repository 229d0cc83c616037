"""What is written to the log, and what never is."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import log

TOKEN = "AAE-long-secret-token-of-a-bot-000"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The tests' own logging comes back afterwards."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    levels = {name: logging.getLogger(name).level for name in log.OURS}
    yield
    logging.captureWarnings(False)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def written(say: object, *, secrets: tuple[str, ...] = (), format: str = "text") -> str:
    stream = io.StringIO()
    log.set_up("debug", format, secrets=secrets, stream=stream)
    assert callable(say)
    say(logging.getLogger("worker.pull"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to +79141234567", "to +7***4567"),
        ("to +7 (914) 123-45-67.", "to +7***4567."),
        ("tel:89141234567", "tel:+7***4567"),
        ("8 914 123 45 67", "+7***4567"),
        ("8(914)123-45-67", "+7***4567"),
        ("375291234567 too", "+3***4567 too"),
        ("chat 79141234567@c.us", "chat +7***4567@c.us"),
        ("chat 4915112345678@c.us", "chat +4***5678@c.us"),
        ("+4915112345678", "+4***5678"),
        (
            "https://api.telegram.org/bot123456:ABC-DEF/getUpdates",
            "https://api.telegram.org/bot***/getUpdates",
        ),
        ("https://x/file/bot123456:ABC/photo.jpg", "https://x/file/bot***/photo.jpg"),
        (f"token 123456789:{TOKEN}", "token ***"),
        # WhatsApp's ids hold the number in base64.
        ("whatsapp wamid.HBgLNzkxNDAwMDAwMDEVAgARGBI+/A=:read is", "whatsapp wamid.***:read is"),
        ("https://7103.api.greenapi.com/waInstance71/sendMessage/d75b3a66", None),
        ("https://x.ru/dashboard?token=abc&a=1 next", "https://x.ru/dashboard?*** next"),
        (f"the link 6a4501f4.{'aB3_-' * 8}abc opens", "the link *** opens"),
        ('"GET /webhooks?hub.verify_token=abc HTTP/1.1"', '"GET /webhooks?*** HTTP/1.1"'),
        ("Authorization: Bearer eyJ0eXAi.abc.def", "Authorization: Bearer ***"),
        ("eyJ0eXAiOiJKV1Qi.eyJhdWQi.c2ln!", "***!"),
        ("postgresql://sarafan:password@db/sarafan", "postgresql://***@db/sarafan"),
    ],
)
def test_secrets_and_phones_are_masked(text: str, masked: str | None) -> None:
    hidden = log.masked(text)
    assert hidden == (masked or "https://7103.api.greenapi.com/waInstance71/sendMessage/***")


@pytest.mark.parametrize(
    "text",
    [
        "deal 12345678901 of 2026-07-01T03:00:00.000+00:00",
        "lead 1234567890, updated_at 1767225600",
        "read 250 leads in 1.5 s, 7 requests",
        "why? because a=b",
        "survey nps:501 due 2026-07-02 10:00",
        "8fa91401-2345-6789-8914-123456789012",
    ],
)
def test_numbers_that_are_no_phones_stay(text: str) -> None:
    assert log.masked(text) == text


def test_secrets_of_the_settings_are_masked_wherever_they_stand() -> None:
    known = ("сезам-откройся", "short-one", "a b/c", "abc")
    lines = written(
        lambda to: to.warning("%s; path /webhooks/%s/x; %s", "сезам-откройся", "short-one", "a%20b%2Fc, abc"),
        secrets=known,
    )
    assert lines.endswith("WARNING worker.pull: ***; path /webhooks/***/x; ***, abc\n")


def test_a_traceback_is_masked_too() -> None:
    def fail(to: logging.Logger) -> None:
        try:
            raise ValueError("no answer for +79141234567 with my-secret-token")
        except ValueError:
            to.exception("send failed for %s", "+79141234567", stack_info=True)

    for format in ("text", "json"):
        lines = written(fail, secrets=("my-secret-token",), format=format)
        assert "Traceback" in lines
        assert "no answer for +7***4567 with ***" in lines
        assert "9141234567" not in lines
        assert lines.count("my-secret-token") == 0


def test_json_is_one_object_a_line() -> None:
    lines = written(lambda to: to.info("два\nслова"), format="json").splitlines()
    (line,) = [json.loads(line) for line in lines]
    assert (line["level"], line["name"], line["message"]) == ("info", "worker.pull", "два\nслова")
    assert line["at"].endswith("+00:00")


def test_a_line_tells_when_and_who_in_utc() -> None:
    line = written(lambda to: to.info("read %d deals", 3))
    assert line.endswith("+00:00 INFO worker.pull: read 3 deals\n")


def test_libraries_write_only_what_went_wrong() -> None:
    def talk(to: logging.Logger) -> None:
        for name in ("httpx", "httpcore.connection", "telegram.ext", "aiosqlite", "sqlalchemy.engine", "new"):
            logging.getLogger(name).info("POST https://…/bot123:token, INSERT … «всё сломалось»")
            logging.getLogger(name).debug("the same")
        logging.getLogger("aiosqlite").warning("closed")

    assert written(talk).endswith("WARNING aiosqlite: closed\n")
    assert written(talk).count("\n") == 1


def test_words_that_do_not_fit_their_arguments_are_written_alone() -> None:
    assert "50 % of %d" in written(lambda to: to.warning("50 % of %d", "x"))


def test_what_nobody_caught_is_masked() -> None:
    def crash(to: logging.Logger) -> None:
        try:
            raise RuntimeError("+79141234567")
        except RuntimeError as error:
            sys.excepthook(RuntimeError, error, error.__traceback__)

    lines = written(crash)
    assert "CRITICAL sarafan: ended by an error" in lines
    assert "+7***4567" in lines


@given(
    st.text(max_size=30),
    st.sampled_from(["+7914{}", "8914{}", "7914{}", "+7 914 {}"]),
    st.integers(0, 9999999),
    st.text("абв ,.:;!/\n", max_size=10),
)
def test_no_number_of_a_russian_mobile_gets_through(before: str, shape: str, number: int, after: str) -> None:
    digits = f"{number:07d}"
    text = f"{before} {shape.format(digits)} {after}"
    assert digits not in log.masked(text) or digits in before


def told_at(*seconds: float, text: str = "the token is refused", level: int = logging.ERROR) -> list[str]:
    """The lines that are written of one that comes at each of these seconds."""
    stream = io.StringIO()
    handler = log.set_up("debug", stream=stream)
    for second in seconds:
        record = logging.LogRecord("worker.x", level, "", 0, text, (), None)
        record.created = 1_800_000_000 + second
        handler.handle(record)
    return [line.partition(": ")[2] for line in stream.getvalue().splitlines()]


def test_a_trouble_that_lasts_is_told_at_once_and_then_ever_less_often() -> None:
    lines = told_at(*range(0, 4 * 3600, 6))
    assert lines[:3] == [
        "the token is refused",
        "the token is refused (again, 9 times since)",
        "the token is refused (again, 19 times since)",
    ]
    assert len(lines) == 9, "0, 1, 3, 7, 15, 31, 63, 123 and 183 minutes: an hour at most between two"


def test_a_trouble_that_was_over_is_told_at_once_when_it_comes_back() -> None:
    assert told_at(0, 6, 12, 3600) == ["the token is refused", "the token is refused"]


def test_what_goes_well_is_written_each_time() -> None:
    assert len(told_at(0, 1, 2, level=logging.INFO)) == 3


def test_two_errors_behind_one_sentence_are_two() -> None:
    def say(logger: logging.Logger) -> None:
        for error in (ValueError("one"), ValueError("one"), ValueError("two")):
            try:
                raise error
            except ValueError:
                logger.exception("send failed")

    assert written(say).count("send failed") == 2
