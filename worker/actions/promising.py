"""What a client is promised, and by when: the same moment as the deadline of the task that keeps it."""

from datetime import datetime, timedelta

from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.rules.planning import SurveyRule
from worker.rules.scale import Band

ANSWER_WITHIN = timedelta(hours=4)  # of working time: words, and low scores that open no complaint


def answer_by(hands: Hands, moment: datetime) -> datetime:
    """Words that want an answer get one in half a working day."""
    return hands.calendar.add_work_time(moment, ANSWER_WITHIN)


def contact_until(hands: Hands, moment: datetime) -> datetime:
    """`[complaints] task_deadline` after a low score."""
    return hands.calendar.deadline(moment, hands.complaints.task_deadline)


def promise(hands: Hands, survey: Survey, rule: SurveyRule, moment: datetime) -> datetime | None:
    """For a complaint that is only about to be opened, and for low scores that only make a task."""
    if survey.band != Band.LOW or rule.on_low in ("tell", "nothing"):
        return None
    if rule.on_low == "complaint" and survey.trigger != "complaint_closed":
        return contact_until(hands, survey.confirm_until or moment)
    return answer_by(hands, moment)
