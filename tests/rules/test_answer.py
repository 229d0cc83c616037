"""A reply is read as its writer meant it, or asked about: a wrong score is worse than a question."""

import io
import sys
import time
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules import replies, said
from tests.rules.accuracy import (
    FIVE,
    LANGUAGES,
    MOST_NEEDLESS,
    OPTIONS,
    TEN,
    ZERO_TEN,
    Table,
    in_language,
    label_of,
    measured,
    written,
)
from worker.rules.answer import read_answer
from worker.rules.answer_readings import Ask, Comment, OptOut, Reading, Score
from worker.rules.scale import Option, Scale

EASE = Scale(
    first=1,
    last=4,
    low=2,
    high=4,
    options=(
        Option("Трудно", 1),
        Option("Не очень просто", 2),
        Option("Совсем несложно", 3),
        Option("Проще некуда", 4),
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reader_keeps_its_goals(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    accuracy = in_language(language)
    with capsys.disabled():
        sys.stdout.write(f"\nanswer reader, {language}: ")
        written(accuracy, sys.stdout)
    assert accuracy.wrong_scores == []
    assert accuracy.missed_opt_outs == []
    assert accuracy.false_opt_outs == []
    assert accuracy.needless_share <= MOST_NEEDLESS
    # A score beside a wish for silence is heard, too.
    assert not [line for line in accuracy.others if line.lstrip().startswith("stop:")]
    assert accuracy.right / accuracy.replies > 0.98


@pytest.mark.parametrize(
    ("label", "text", "kind"),
    [
        ("8", "9", "wrong scores"),
        ("none", "9", "wrong scores"),
        ("stop", "9, больше не пишите", "wrong scores"),
        ("stop", "хорошего дня", "missed opt-outs"),
        ("none", "стоп", "false opt-outs"),
        ("9", "стоп", "false opt-outs"),
        ("9", "8-9", "needless questions"),
        ("5", "5", "needless questions"),
        ("reply", "хорошего дня", "needless questions"),
        ("5?", "ставлю 5", "wrong other outcomes"),
        ("range", "хорошего дня", "wrong other outcomes"),
        ("words", "Когда приедет мастер?", "wrong other outcomes"),
    ],
)
def test_what_is_read_otherwise_than_it_is_labelled_is_told_by_its_kind(
    label: str, text: str, kind: str
) -> None:
    accuracy = measured([Table("ru", f"{label}\t{text}")])
    assert [name for name, lines in accuracy.kinds if lines] == [kind]
    assert accuracy.is_good is (kind == "wrong other outcomes")
    out = io.StringIO()
    written(accuracy, out)
    assert f"{kind}: 1 (" in out.getvalue()
    assert repr(text) in out.getvalue()


@pytest.mark.parametrize("text", replies.NO_OPT_OUT.strip("\n").split("\n"))
def test_words_of_an_opt_out_inside_a_sentence_are_none(text: str) -> None:
    assert not isinstance(read_answer(text, TEN), OptOut)
    assert not isinstance(read_answer(text, None), OptOut)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("9", Score(9, "", "whole", is_bare=True)),
        ("9️⃣", Score(9, "", "whole", is_bare=True)),
        ("9/10", Score(9, "", "denominator", has_marker=True)),
        ("10 (десять)", Score(10, "", "edge", is_bare=True)),
        ("ставлю 8, спасибо Олегу", Score(8, "спасибо Олегу", "marker", has_marker=True)),
        ("3, монтаж три недели", Score(3, "монтаж три недели", "edge")),
        ("9, но пульт не работает", Score(9, "но пульт не работает", "edge", wants_reply=True)),
        ("9, спасибо", Score(9, "спасибо", "whole", is_bare=True)),
        ("5, отлично!", Score(5, "отлично", "edge", is_bare=True)),  # a school mark in praise
        ("Всё сделали быстро.\n10", Score(10, "Всё сделали быстро", "edge")),
        ("9 за Работу Олега", Score(9, "за Работу Олега", "edge")),
        ("не 5, а 4", Score(4, "", "correction", has_marker=True)),
        ("я ошибся, 10", Score(10, "", "amended", has_marker=True)),
        ("нет, 4", Score(4, "", "amended", is_bare=True)),
        ("ой, я ошибся, 3 из 10", Score(3, "", "amended", has_marker=True)),
        ("исправьте на 3 из 10", Score(3, "", "amended", has_marker=True)),
        ("не 8, а 3 из 10", Score(3, "", "correction", has_marker=True)),
        ("8, ой, 3 (из 10)", Score(3, "", "correction", has_marker=True)),
        ("ошибся, 3 балла", Score(3, "", "amended", has_marker=True)),
        ("ошибся, три балла из десяти", Score(3, "", "amended", has_marker=True)),
        ("ошибся, 3 из 10 возможных баллов", Score(3, "", "amended", has_marker=True)),
        ("I meant 3 out of 10", Score(3, "", "amended", has_marker=True)),
        ("ошибся, 3 из 10, долго ждали", Score(3, "долго ждали", "amended", has_marker=True)),
        (
            "Хорошо всё, ставлю 9, спасибо Олегу",
            Score(9, "Хорошо всё, ставлю 9, спасибо Олегу", "marker", has_marker=True),
        ),
        ("8. Когда приедете?", Score(8, "Когда приедете?", "edge", wants_reply=True)),
        ("9. Вопросов нет", Score(9, "Вопросов нет", "edge")),
    ],
)
def test_the_words_beside_a_score_are_kept(text: str, score: Score) -> None:
    assert read_answer(text, TEN) == score


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("8-9", Ask("range", 8, 9, "8-9")),
        ("8,5", Ask("range", 8, 9, "8,5")),
        ("0", Ask("outside", None, None, "0")),
        ("Менеджер 10, монтаж 8", Ask("two", 10, 8, "Менеджер 10, монтаж 8")),
        ("Спасибо!", Ask("none", None, None, "Спасибо!")),
        ("", Ask("none")),
        ("10, но больше не пишите", OptOut(10)),
        ("Ждали месяц, больше не пишите", OptOut(None, "Ждали месяц")),
        ("Сколько стоит пульт?", Comment("Сколько стоит пульт?", wants_reply=True, rule="request")),
    ],
)
def test_what_is_no_score_is_kept_whole(text: str, reading: Reading) -> None:
    assert read_answer(text, TEN) == reading


@pytest.mark.parametrize(
    "text", ["Со мной никто не связался", "никто не звонил", "Мне так и не позвонили", "nobody called me"]
)
def test_that_nobody_called_is_noticed(text: str) -> None:
    reading = read_answer(text, FIVE)
    assert isinstance(reading, Comment)
    assert reading.is_uncalled
    assert reading.wants_reply


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("9, всё работает", False),
        ("9, без проблем", False),
        ("9, проблем не было", False),
        ("9, ничего не нужно", False),
        ("9, хочу поблагодарить Олега", False),
        ("9, позвонили вовремя", False),
        ("9, пульт сломался", True),
        ("9, ворота не закрываются до конца", True),
        ("9, позвоните мне", True),
        ("9, нужен второй пульт", True),
        ("9, а где акт?", True),
        ("9, please call me", True),
        ("9, the remote is broken", True),
    ],
)
def test_a_question_request_or_problem_wants_a_reply_under_any_score(text: str, wants: bool) -> None:
    reading = read_answer(text, TEN)
    assert isinstance(reading, Score)
    assert reading.wants_reply is wants


@pytest.mark.parametrize(
    ("text", "scale", "label"),
    [
        ("0", ZERO_TEN, "0"),
        ("ноль", ZERO_TEN, "0"),
        ("0 из 10", ZERO_TEN, "0"),
        ("Трудно", EASE, "1"),
        ("Не очень просто", EASE, "2"),
        ("не очень просто, договор сложный", EASE, "2"),
        ("проще некуда!", EASE, "4"),
        ("просто", EASE, "none"),
        ("не трудно", EASE, "none"),
        ("3", EASE, "3"),
        ("5", EASE, "outside"),
    ],
)
def test_other_scales(text: str, scale: Scale, label: str) -> None:
    assert label_of(read_answer(text, scale), scale) == label


def test_nothing_is_a_score_where_nothing_is_asked() -> None:
    assert read_answer("9", None) == Comment("9")


@given(st.one_of(st.text(max_size=80), st.from_regex(r"([0-9а-я,.!? \-/()+]{1,4}){1,12}", fullmatch=True)))
@settings(max_examples=200)
def test_every_text_has_a_reading_and_no_score_leaves_the_scale(text: str) -> None:
    for scale in (TEN, FIVE, OPTIONS, None):
        reading = read_answer(text, scale)
        if isinstance(reading, Score):
            assert scale is not None
            assert reading.value in scale
        if isinstance(reading, OptOut) and reading.value is not None:
            assert scale is not None
            assert reading.value in scale


@given(
    st.integers(1, 10),
    st.sampled_from(["{}", " {}!", "«{}»", "ставлю {}", "{} из 10", "{}\nспасибо", "Здравствуйте! {}"]),
)
@settings(max_examples=60)
def test_a_plain_score_is_read_in_every_dress(score: int, dress: str) -> None:
    reading = read_answer(dress.format(score), TEN)
    assert isinstance(reading, Score)
    assert reading.value == score


@given(
    st.sampled_from((replies.TEN + said.TEN_RU).strip("\n").replace("\n\n", "\n").split("\n")),
    st.sampled_from([str.upper, str.lower, str.title, lambda text: f"  {text} "]),
)
@settings(max_examples=100)
def test_case_and_spaces_change_no_score(line: str, dress: object) -> None:
    label, text = line.split("\t", 1)
    assert callable(dress)
    reading = read_answer(dress(text.replace("\\n", "\n")), TEN)
    assert not isinstance(reading, Score) or label == label_of(reading, TEN)


def calls_of(text: str) -> int:
    """How many calls reading this text takes: the same on every machine and under every load."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    read_answer(text, TEN)  # The first question compiles the patterns.
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        read_answer(text, TEN)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        "не пишите мне больше ",
        "9, ",
        "а ",
        "больше ",
        "1 2 3 ",
        "((((",
        "стоп ",
        "\n9",
        "из 10 ",
        "нет, ",
        "я ошибся, т.е. ",
        "сказал ",
    ],
)
def test_twice_as_long_a_message_takes_twice_the_work(unit: str) -> None:
    assert calls_of(unit * 400) < 2.2 * calls_of(unit * 200)


@pytest.mark.parametrize("unit", ["9-", "(", "я ", "не надо меня "])
def test_eight_times_as_long_a_word_is_not_searched_from_each_of_its_letters(unit: str) -> None:
    """Patterns make no calls. Processor time, which others on the machine take no part in: 64 times or 8."""

    def taken(length: int) -> float:
        began = time.process_time()
        read_answer(unit * (length // len(unit)), TEN)
        return time.process_time() - began

    long, short = (min(taken(length) for _ in range(3)) for length in (16_384, 2_048))
    assert long < 40 * short
