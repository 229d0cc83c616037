"""A message is put together from its texts: the whole of it, as a client reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.packs import texts
from worker.rules.compose import (
    NO_TEXTS,
    POLL_LIMIT,
    Composed,
    Form,
    Occasion,
    Promo,
    Values,
    compose_alert,
    compose_question,
    compose_thanks,
    score_values,
)
from worker.rules.scale import Band, Option, Scale
from worker.rules.wording import Value

TEN = Scale(first=1, last=10, low=5, high=9)
FIVE = Scale(first=1, last=5, low=3, high=5)
WORDS = Scale(
    first=2, last=5, low=2, high=5,
    options=(Option("Отлично", 5), Option("Удовлетворительно", 3), Option("Плохо", 2)),
)  # fmt: skip


@dataclass(frozen=True)
class Spec:
    metric: str = "nps"
    trigger: str = "deal_won"
    subject: str = ""
    scale: Scale = TEN
    promo_in: str = "nowhere"


NPS = Spec()
CSAT = Spec(metric="csat", scale=FIVE)
CES = Spec(metric="ces", scale=FIVE)
RU = texts("ru")
NOBODY: Values = {}
IVAN: Values = {"client_name": "Иван Петрович", "about": "секционные ворота"}
CODE: Values = {"promo_code": "ДРУГ-4821571", "discount": "5\u00a0%", "promo_terms": ""}


def question(
    spec: Spec = NPS, form: Form = Form.TYPED, values: Values = NOBODY, *, is_first: bool = True
) -> Composed:
    return compose_question(RU, spec, form, values, is_first=is_first)


def test_the_first_question_in_words() -> None:
    assert question(values=IVAN).text == (
        "Здравствуйте, Иван Петрович! Это ВладАвтоматика. Спасибо за заказ (секционные ворота). "
        "Насколько вероятно, что вы порекомендуете нас друзьям? 1 — точно нет, 10 — обязательно. "
        "Ответьте, пожалуйста, одним числом от 1 до 10. "
        "Если не хотите получать такие вопросы, ответьте «стоп»."
    )
    assert question(values=IVAN).variant == "opening.nps+nps.question+tail.typed+tail.stop"


def test_what_is_not_known_is_not_said() -> None:
    assert question().text.startswith("Здравствуйте! Это ВладАвтоматика. Спасибо за заказ. Насколько")


def test_buttons_need_no_instructions() -> None:
    assert question(form=Form.BUTTONS).variant == "opening.nps+nps.question"


def test_in_a_poll_the_opt_out_is_an_option() -> None:
    said = question(form=Form.POLL)
    assert said.variant == "opening.nps+nps.question+tail.poll"
    assert said.form is Form.POLL


def test_a_poll_that_grew_too_long_is_typed() -> None:
    spec = replace(NPS, promo_in="question")
    said = question(spec, Form.POLL, {**IVAN, **CODE})
    assert said.form is Form.TYPED
    assert "tail.typed+tail.stop+promo.in_question" in said.variant


@pytest.mark.parametrize(
    ("promo_in", "code", "is_said"),
    [("question", "ДРУГ-1", True), ("question", "", False), ("on_request", "ДРУГ-1", False)],
)
def test_the_code_stands_in_the_question_only_where_it_may(promo_in: str, code: str, is_said: bool) -> None:
    spec = replace(NPS, promo_in=promo_in)
    said = question(spec, values={**CODE, "promo_code": code})
    assert ("промокод" in said.text) is is_said
    assert said.text.endswith("Ваш промокод для друзей — ДРУГ-1, скидка 5\u00a0%.") is is_said


def test_a_reminder_repeats_the_question_without_advertising() -> None:
    spec = replace(NPS, promo_in="question")
    said = compose_question(RU, spec, Form.TYPED, CODE, is_first=True, is_reminder=True)
    assert said.variant == "opening.reminder+nps.question+tail.typed+tail.stop"


@pytest.mark.parametrize(
    ("spec", "keys"),
    [
        (CSAT, "opening.later+csat.question"),
        (replace(CSAT, subject="manager"), "opening.later+csat_manager.question"),
        (replace(CSAT, subject="field"), "opening.later+csat_field.question"),
        (replace(CSAT, scale=WORDS), "opening.later+csat.question.options"),
        (replace(NPS, scale=FIVE), "opening.nps+nps5.question"),
        (CES, "opening.later+ces.question"),
        (replace(CSAT, trigger="complaint_closed"), "opening.complaint+complaint.question"),
        (replace(CES, trigger="deal_lost"), "opening.lost+lost.question"),
        (replace(NPS, trigger="deal_status"), "opening.nps+nps.question"),
    ],
)
def test_each_survey_has_its_texts(spec: Spec, keys: str) -> None:
    assert question(spec, Form.BUTTONS).variant == keys


def test_after_a_complaint_it_is_easy_to_say_that_nobody_called() -> None:
    said = question(replace(CSAT, trigger="complaint_closed"))
    assert "Если с вами никто не связался, так и напишите." in said.text


def test_labelled_options_have_no_ends_of_a_scale() -> None:
    said = question(replace(CES, scale=WORDS), is_first=False)
    assert said.text == (
        "Спасибо. И последнее. Насколько просто вам было с нами работать? "
        "Ответьте, пожалуйста, одним словом: Отлично, Удовлетворительно, Плохо."
    )


def test_the_next_question_of_a_conversation() -> None:
    def ask(*, is_last: bool = True, is_thanked: bool = False) -> Composed:
        return compose_question(
            RU, CES, Form.BUTTONS, {}, is_first=False, is_last=is_last, is_thanked=is_thanked
        )

    assert ask(is_last=False).variant == "next+ces.question"
    assert ask().variant == "next.last+ces.question"
    # Below thanks «Спасибо» is not said again.
    assert ask(is_thanked=True).text.startswith("И последнее. Насколько просто")
    assert ask(is_last=False, is_thanked=True).variant == "ces.question"


def test_a_companys_own_question_wins() -> None:
    said = compose_question(
        RU,
        NPS,
        Form.BUTTONS,
        IVAN,
        is_first=True,
        survey_texts={"question": "Посоветуете нас[, {client_name}]?"},
    )
    assert said.text.endswith("Посоветуете нас, Иван Петрович?")
    assert said.variant == "opening.nps+own.question"


def thanks(
    spec: Spec = NPS,
    *,
    score: int,
    values: Values = NOBODY,
    occasion: Occasion = Occasion.SCORED,
    has_words: bool = False,
    promo: Promo = Promo.NONE,
    asks_review: bool = False,
    has_reasons: bool = False,
    own: Mapping[str, str] = NO_TEXTS,
    following: Composed | None = None,
) -> Composed:
    known: Values = {
        "contact_by": "завтра до 12:00",
        **CODE,
        "review_links": "2ГИС: https://example.ru",
        **values,
    }
    return compose_thanks(
        RU, spec, Form.TYPED, known, score=score, band=spec.scale.band(score), occasion=occasion,
        has_words=has_words, promo=promo, asks_review=asks_review, has_reasons=has_reasons, survey_texts=own,
        next_question=following,
    )  # fmt: skip


def test_thanks_by_band() -> None:
    assert (
        thanks(score=9).text
        == "Спасибо! Записали: 9 из 10. Если захотите, напишите, что понравилось больше всего."
    )
    assert thanks(score=7).text == "Спасибо! Записали: 7 из 10. Чего не хватило до 10? Можно в двух словах."
    assert thanks(score=3).text == (
        "Спасибо за честный ответ: 3 из 10. Жаль, что вышло не так, как вы ожидали. Напишите, пожалуйста, "
        "что случилось. Мы свяжемся с вами завтра до 12:00. Телефон: 8 800 555-00-11."
    )


def test_nothing_is_promised_without_a_deadline() -> None:
    said = thanks(score=3, values={"contact_by": ""})
    assert "свяжемся" not in said.text
    assert "что случилось. Телефон" in said.text


@pytest.mark.parametrize(("score", "key"), [(9, "high"), (7, "neutral"), (3, "low")])
def test_words_are_not_asked_for_twice(score: int, key: str) -> None:
    assert thanks(score=score, has_words=True).variant == f"thanks.words_{key}"
    assert thanks(score=score, occasion=Occasion.WORDS).variant == f"thanks.words_{key}"


@pytest.mark.parametrize(
    ("occasion", "score", "variant"),
    [
        (Occasion.CHANGED, 9, "score.changed"),
        (Occasion.CHANGED, 3, "nps.thanks_low"),  # now somebody will call
        (Occasion.LATE, 9, "late.thanks"),
        (Occasion.LATE, 3, "nps.thanks_low"),
        (Occasion.CHECK, 5, "nps.check_low"),
        (Occasion.END, 9, "thanks.end"),
    ],
)
def test_other_occasions(occasion: Occasion, score: int, variant: str) -> None:
    assert thanks(score=score, occasion=occasion).variant == variant


def test_a_doubtful_score_is_checked_and_nothing_else() -> None:
    said = thanks(score=5, occasion=Occasion.CHECK, asks_review=True, promo=Promo.OFFER)
    assert said.text.startswith("Вы поставили 5 из 10, где 10 — высшая оценка.")
    assert said.variant == "nps.check_low"


def test_own_thanks_and_follow_up() -> None:
    own = {"thanks_high": "Ура, {score}!", "follow_up": "Что улучшить?", "follow_up_low": "Что случилось?"}
    assert thanks(score=10, own=own).text == "Ура, 10!\n\nЧто улучшить?"
    assert thanks(score=3, own=own).variant == "nps.thanks_low+own.follow_up_low"
    assert thanks(score=10, own=own, has_words=True).variant == "thanks.words_high"


def test_an_own_promise_without_a_date_gives_way_to_ours() -> None:
    own = {"thanks_low": "Позвоним {contact_by}."}
    assert thanks(score=3, own=own).text == "Позвоним завтра до 12:00."
    assert thanks(score=3, own=own, values={"contact_by": ""}).variant == "nps.thanks_low"


def test_everything_in_one_message_parted_by_empty_lines() -> None:
    following = compose_question(RU, CES, Form.TYPED, {}, is_first=False, is_thanked=True)
    said = thanks(score=9, promo=Promo.OFFER, asks_review=True, following=following)
    parts = said.text.split("\n\n")
    assert [part.split()[0] for part in parts] == ["Спасибо!", "Если", "Если", "И"]
    assert parts[2] == "Если найдётся пара минут, расскажите о нас другим:\n2ГИС: https://example.ru"
    assert said.variant == (
        "nps.thanks_high+promo.offer+review.high+next.thanked.last+ces.question+tail.typed"
    )


@pytest.mark.parametrize(
    ("promo", "score", "variant"),
    [
        (Promo.CARD, 9, "nps.thanks_high+promo.card"),
        (Promo.CARD, 7, "nps.thanks_neutral"),
        (Promo.OFFER, 7, "nps.thanks_neutral+promo.offer"),
        (Promo.OFFER, 3, "nps.thanks_low"),  # nobody recommends what they were unhappy with
    ],
)
def test_the_code_goes_to_the_happy(promo: Promo, score: int, variant: str) -> None:
    assert thanks(score=score, promo=promo).variant == variant


def test_the_card_is_made_to_be_forwarded() -> None:
    said = thanks(score=9, promo=Promo.CARD).text.split("\n\n")[1]
    assert said == (
        "ВладАвтоматика: промокод для друзей — ДРУГ-4821571\n"
        "Скидка 5\u00a0% по этому коду.\nТелефон: 8 800 555-00-11"
    )


def test_a_review_is_asked_for_in_the_words_of_the_case() -> None:
    assert thanks(score=7, asks_review=True).variant.endswith("review.neutral")
    solved = replace(CSAT, trigger="complaint_closed")
    assert thanks(solved, score=5, asks_review=True).variant == "complaint.thanks_high+review.after_complaint"
    # Where buttons carry the links the text ends with its colon.
    assert thanks(score=9, asks_review=True, values={"review_links": ""}).text.endswith("другим:")


def test_reasons_are_offered_only_where_they_are_buttons() -> None:
    assert "Выберите" not in thanks(CES, score=1).text
    assert "Выберите" in thanks(CES, score=1, has_reasons=True).text


def test_a_labelled_answer_is_named_by_its_label() -> None:
    assert score_values(WORDS, 5)["score"] == "Отлично"
    spec = replace(CSAT, scale=WORDS)
    assert thanks(spec, score=3).text == "Спасибо. Чего не хватило? Можно в двух словах."


@pytest.mark.parametrize("band", list(Band))
@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_survey_can_say_thanks_in_every_band(band: Band, language: str) -> None:
    for metric in ("nps", "csat", "ces"):
        for trigger in ("deal_won", "deal_lost", "deal_status", "complaint_closed"):
            for occasion in Occasion:
                spec = Spec(metric=metric, trigger=trigger)
                said = compose_thanks(
                    texts(language), spec, Form.BUTTONS, {}, score=7, band=band, occasion=occasion
                )
                assert said.text
                assert said.variant


ALERT: dict[str, Value] = {
    "score": 3, "scale_max": 10, "survey": "NPS", "client": "Иван Петров", "client_phone": "+79145551234",
    "words": "монтаж три недели", "manager": "Олег Смирнов", "crew": "", "deal": "Ворота",
    "amount": "184 000 ₽", "closed_ago": "закрыта 12 дней назад", "no": 17, "who": "Анна",
    "deadline": "до 16:00",
}  # fmt: skip


def test_an_alert_fits_one_screen() -> None:
    assert compose_alert(RU, ALERT) == (
        "Низкая оценка: 3 из 10, NPS\nИван Петров, +79145551234\n«монтаж три недели»\n\n"
        "Менеджер: Олег Смирнов\nСделка: Ворота, 184 000 ₽, закрыта 12 дней назад\n"
        "Рекламация № 17, Анна, до 16:00"
    )


def test_an_alert_about_a_raised_score_calls_it_low_no_more() -> None:
    said = compose_alert(RU, {**ALERT, "score": 9}, is_raised=True)
    assert said.startswith("Оценка исправлена: теперь 9 из 10, NPS\nИван Петров, +79145551234\n")
    assert "Низкая" not in said


def test_an_alert_grows_with_what_happens() -> None:
    said = compose_alert(
        RU, {**ALERT, "words": "", "manager": "", "amount": ""}, added=["ещё и царапина"],
        states=["Взято: Анна, 14:05"], late="Пришло 23:40, отправляем после перерыва.",
    )  # fmt: skip
    assert said == (
        "Пришло 23:40, отправляем после перерыва.\nНизкая оценка: 3 из 10, NPS\nИван Петров, +79145551234\n"
        "Клиент добавил: «ещё и царапина»\n\nСделка: Ворота, закрыта 12 дней назад\n"
        "Рекламация № 17, Анна, до 16:00\nВзято: Анна, 14:05"
    )


def test_an_alert_without_words_says_so() -> None:
    assert "\nПока без слов: спросили, что случилось.\n\n" in compose_alert(RU, {**ALERT, "words": ""})


@given(st.lists(st.text(min_size=1, max_size=400), max_size=6), st.text(max_size=500), st.integers(0, 40))
@settings(max_examples=60)
def test_an_alert_stays_within_its_limit(added: list[str], words: str, presses: int) -> None:
    states = [f"Перезвонить: Анна, 8 сентября в 14:{place:02}" for place in range(presses)]
    said = compose_alert(RU, {**ALERT, "words": words}, added=added, states=states)
    assert len(said) <= 900
    assert not states or said.endswith(f"\n{states[-1]}"), "what happened last stays"


def test_the_longest_question_serves_as_a_template() -> None:
    values = {**IVAN, "client_name": "Константин Владимирович", **CODE}
    said = question(replace(NPS, promo_in="question"), values=values)
    assert len(said.text) <= 550
    assert POLL_LIMIT == 255
