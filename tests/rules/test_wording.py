"""Templates: what vanishes, what is counted, and what is wrong with a company's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.packs import pack, texts
from worker.rules.wording import (
    MissingValueError,
    Problem,
    ProblemKind,
    Texts,
    Value,
    allowed_in,
    allowed_in_survey,
    check_template,
    check_texts,
    load_texts,
)


def fill(template: str, **values: Value) -> str:
    return Texts("ru", {"text": template}).fill("text", **values)


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        ("Здравствуйте[, {client_name}]!", {"client_name": "Иван"}, "Здравствуйте, Иван!"),
        ("Здравствуйте[, {client_name}]!", {"client_name": ""}, "Здравствуйте!"),
        ("Здравствуйте[, {client_name}]!", {"client_name": None}, "Здравствуйте!"),
        ("Здравствуйте[, {client_name}]!", {}, "Здравствуйте!"),
        ("Оценка {score}", {"score": 0}, "Оценка 0"),  # zero is not empty
        ("[Оценка {score}]", {"score": 0}, "Оценка 0"),
        (
            "[Код {promo_code}[, скидка {discount}].[ {promo_terms}]]",
            {"promo_code": "A", "discount": ""},
            "Код A.",
        ),
        ("[Код {promo_code}[, скидка {discount}].]", {"promo_code": "", "discount": "5"}, ""),
        ("{n:ответ/ответа/ответов}", {"n": 3}, "3 ответа"),
        ("{n:ответ/ответа/ответов}", {"n": 1021}, "1\u00a0021 ответ"),
        ("{n:day/days}", {"n": 1}, "1 day"),
        ("{a}⏎{b}", {"a": 1, "b": 2}, "1\n2"),
        ("{a}[⏎{b}]⏎⏎[{n}]⏎конец", {"a": 1, "b": "", "n": ""}, "1\n\nконец"),
        ("[Менеджер: {manager}][ · Бригада: {crew}]", {"manager": "", "crew": "Вася"}, "Бригада: Вася"),
        ("Слова: «{words}»", {"words": "а\n\n  б"}, "Слова: «а б»"),
    ],
)
def test_filling_in(template: str, values: dict[str, Value], said: str) -> None:
    assert fill(template, **values) == said


def test_a_clients_words_are_cut() -> None:
    assert len(fill("{words}", words="слово " * 200)) <= 300


def test_braces_in_a_value_are_only_words() -> None:
    assert fill("{words}", words="{score} [x]") == "{score} [x]"


def test_a_missing_value_is_a_mistake_of_the_program() -> None:
    with pytest.raises(MissingValueError):
        fill("Оценка {score}")
    with pytest.raises(KeyError):
        texts().fill("no.such.key")


def test_constants_need_not_be_handed_in_and_can_be_replaced() -> None:
    said = load_texts(
        {"hello": "{company}, {phone}"}, {"hello": "{company}: {phone}"}, company="А", phone="1"
    )
    assert said.fill("hello") == "А: 1"
    assert said.fill("hello", phone="2") == "А: 2"
    assert said.knowing(company="Б").fill("hello") == "Б: 1"
    assert said.with_own({"hello": "{company}"}).fill("hello") == "А"
    assert said.has("hello")
    assert not said.has("bye")


@pytest.mark.parametrize(
    ("template", "problems"),
    [
        ("Оценка {score}", []),
        ("[Оценка {score}[, {company}]]", []),
        ("Оценка {skore}", [Problem(ProblemKind.PLACEHOLDER, "{skore}", ("{score}",))]),
        ("Оценка { score }", [Problem(ProblemKind.PLACEHOLDER, "{ score }", ("{score}",))]),
        ("{}", [Problem(ProblemKind.PLACEHOLDER, "{}")]),
        ("{zzzzzz}", [Problem(ProblemKind.PLACEHOLDER, "{zzzzzz}")]),
        ("[Оценка {score}", [Problem(ProblemKind.BRACKETS, "[")]),
        ("Оценка] {score}", [Problem(ProblemKind.BRACKETS, "]")]),
        ("Оценка {score", [Problem(ProblemKind.BRACKETS, "{")]),
        ("Оценка score}", [Problem(ProblemKind.BRACKETS, "}")]),
        ("{score:балл}", [Problem(ProblemKind.FORMS, "{score:балл}")]),
        ("{score:балл/балла/баллов}", []),
    ],
)
def test_a_template_is_checked(template: str, problems: list[Problem]) -> None:
    assert check_template(template, {"score", "company"}) == problems


def test_own_texts_are_checked_by_key() -> None:
    found = check_texts(
        {"optout.doen": "Хорошо.", "nps.thanks_low": "Спасибо. {deal}", "optout.done": "Хорошо. {phone}"},
        pack("ru"),
    )
    assert found[0][1].kind is ProblemKind.KEY
    assert "optout.done" in found[0][1].nearest
    # A raw deal name never reaches a client.
    assert (found[1][0], found[1][1].found) == ("nps.thanks_low", "{deal}")
    assert len(found) == 2


def test_a_question_may_name_its_client_and_no_score() -> None:
    assert "client_name" in allowed_in("nps.question", pack("ru"))
    assert "score" not in allowed_in("nps.question", pack("ru"))
    assert "contact_by" in allowed_in("csat.thanks_high", pack("ru"))
    assert "deal" in allowed_in("alert.foot", pack("ru"))
    assert "score" not in allowed_in_survey("question")
    assert "score" in allowed_in_survey("thanks_low")


@given(st.text(alphabet="абв {}[]:/⏎n_", max_size=40))
@settings(max_examples=200)
def test_what_the_check_lets_pass_can_be_said(template: str) -> None:
    if not check_template(template, {"n", "а", "б"}):
        Texts("ru", {"text": template}).fill("text", n=3, а=1, б="")
