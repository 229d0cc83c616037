"""Names of people and pipelines on a report: the latest, and with the id where two share one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from worker.metrics.base import Facts, SurveyFact

Person = int | str  # the id of a user; the name where there is no id
Key = TypeVar("Key", int, Person)


def person_of(row: SurveyFact) -> Person:
    """Whose client was asked, as it was then."""
    return row.manager_id or row.manager


def manager_names(rows: Iterable[SurveyFact]) -> Mapping[Person, str]:
    """Id (a name where there is none) -> name: the latest, with the id where two people share it."""
    return told_apart(_latest(rows))


def names_of(facts: Facts) -> Mapping[Person, str]:
    """Of all who were written down with a survey, and who have only sold or been complained of."""
    known = {of.manager_id: of.manager for of in facts.complaints}
    others = {*known, *(sale.manager_id for sale in facts.sellers)} - {0}
    users: dict[Person, str] = {
        user: facts.people.get(user) or known.get(user) or str(user) for user in others
    }
    return told_apart({**users, **_latest(facts.surveys)})


def told_apart(names: Mapping[Key, str]) -> Mapping[Key, str]:
    bearers = Counter(names.values())
    return {
        person: f"{name} ({person})" if bearers[name] > 1 and isinstance(person, int) else name
        for person, name in names.items()
    }


def _latest(rows: Iterable[SurveyFact]) -> dict[Person, str]:
    names: dict[Person, str] = {}
    ordered = sorted(
        (row for row in rows if row.manager_id or row.manager),
        key=lambda row: moment.timestamp() if (moment := row.answered_at or row.settled_at) else 0,
    )
    for row in ordered:
        names[person_of(row)] = row.manager or names.get(person_of(row), str(row.manager_id))
    return names
