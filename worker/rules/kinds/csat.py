"""CSAT: how was the manager's work, the crew's, or the company's?"""

from datetime import timedelta

from worker.rules.duration import Duration
from worker.rules.kinds.base import Kind

CSAT = Kind(
    key="csat",
    title={"ru": "CSAT", "en": "CSAT"},
    subjects={
        "manager": {"ru": "Оценка менеджера", "en": "Manager's rating"},
        "field": {"ru": "Оценка мастеров", "en": "Crew's rating"},
    },
    default_scale="1-5",
    known_bands={(1, 5): (3, 5)},
    default_delay=Duration(timedelta(days=14)),
    opening="opening.later",
    questions={
        "manager": "csat_manager.question",
        "field": "csat_field.question",
        "options": "csat.question.options",
    },
)
