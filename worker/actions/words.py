"""What several messages have in common: names, scores and moments as the texts want them."""

from collections.abc import Mapping
from datetime import datetime

from storage.tables.people import Client
from storage.tables.surveys import Survey
from worker.actions.base import Hands
from worker.rules.compose import score_values as values_of_score
from worker.rules.moments import contact_by, moment_text
from worker.rules.people import client_name
from worker.rules.planning import SurveyRule
from worker.rules.wording import Value

Values = dict[str, Value]


def survey_texts(hands: Hands, key: str) -> Mapping[str, str]:
    """The survey's own texts of the config, where it has any."""
    survey = hands.surveys.get(key)
    names = (
        "question", "thanks_high", "thanks_neutral", "thanks_low",
        "follow_up", "follow_up_low", "follow_up_neutral", "follow_up_high",
    )  # fmt: skip
    return {name: text for name in names if survey is not None and (text := getattr(survey, name))}


def values_for(
    hands: Hands,
    *,
    client: Client | None,
    survey: Survey | None,
    rule: SurveyRule | None,
    now: datetime,
    deadline: datetime | None = None,
) -> Values:
    """For single sentences to a client."""
    values: Values = {
        "client_name": client_name(client.name) if client is not None else "",
        "contact_by": contact_by(hands.texts, deadline, now, hands.calendar.zone),
        "a": None,
        "b": None,
    }
    if rule is not None:
        values |= values_of_score(rule.scale, (survey.score if survey else None) or rule.scale.first)
    return values


def greeting_values(hands: Hands, client: Client | None) -> Values:
    return {"client_name": client_name(client.name) if client is not None else ""}


def title_of(hands: Hands, channel: str) -> str:
    """What people call the messenger."""
    key = f"channel.{channel}"
    return hands.texts.fill(key) if hands.texts.has(key) else channel


def told(hands: Hands, text: str, kind: str) -> str:
    """A client's words, or what came in their place: «голосовое сообщение»."""
    key = f"media.{kind}"
    return text if text or not hands.texts.has(key) else hands.texts.fill(key)


def survey_title(hands: Hands, survey: Survey) -> str:
    words = {"complaint_closed": "survey.complaint", "deal_lost": "survey.lost"}.get(survey.trigger)
    if words is not None:
        return hands.texts.fill(words)
    if survey.metric == "csat" and (survey.subject_is_manager or survey.subject):
        return hands.texts.fill("survey.csat_manager" if survey.subject_is_manager else "survey.csat_field")
    return hands.texts.fill(f"survey.{survey.metric}")


def score_values(hands: Hands, survey: Survey) -> Values:
    """Score and scale for staff: «3 из 10», whatever the client saw."""
    rule = hands.known.rule(survey.survey_key)
    return {"score": survey.score, "scale_max": rule.scale.last if rule is not None else None}


def clock_time(hands: Hands, moment: datetime) -> str:
    return moment_text(hands.texts, moment, hands.calendar.zone, hands.now())


def moment_value(hands: Hands, when: datetime | None) -> str:
    """For what is kept and read on another day."""
    return moment_text(hands.texts, when, hands.calendar.zone) if when is not None else ""
