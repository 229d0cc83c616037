"""Words that asked for an answer are counted by their day, apart from complaints."""

from datetime import timedelta

from tests.metrics.made import NPS, SPRING, SUMMER, survey
from tests.reports.made import report, texts
from worker.metrics.base import RequestFact
from worker.reports.build import as_json
from worker.reports.draw import draw
from worker.reports.text import as_text

ASKED = (
    RequestFact(asked_at=SUMMER, is_answered=True),
    RequestFact(asked_at=SUMMER + timedelta(days=1)),
    RequestFact(asked_at=SPRING, is_answered=True),  # of the quarter before
)


def test_who_asked_for_an_answer_and_who_got_one_in_the_chat() -> None:
    made = report(requests=ASKED)
    assert as_json(made)["requests"] == {"asked": 2, "answered": 1}
    told = as_text(made, texts())
    assert "Вопросы и просьбы клиентов\nПросили ответить: 2, в переписке ответили: 1." in told
    (section,) = [one for one in draw(made, texts()).sections if one.key == "requests"]
    assert section.tables[0].rows == ((2, 1),)


def test_where_nobody_asked_nothing_is_said_of_it() -> None:
    made = report()
    assert as_json(made)["requests"] == {"asked": 0, "answered": 0}
    assert "Вопросы и просьбы" not in as_text(made, texts())


def test_a_call_in_place_of_a_score_is_no_answer_and_is_told() -> None:
    rows = [survey(NPS, 9), survey(NPS, is_declined=True), survey(NPS, 8, is_declined=True)]
    made = report(rows, asked=(NPS,))
    told = as_json(made)["surveys"]["nps"]
    assert (told["sent"], told["answered"], told["declined"]) == (3, 2, 1)
    assert "Вместо оценки попросили позвонить: 1." in as_text(made, texts())
