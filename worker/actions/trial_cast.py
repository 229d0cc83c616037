"""Who and what a trial is about: a deal, a client and surveys that stand in no table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from integrations.channels.base import Channel, Outgoing, Templated
from storage.tables.columns import Json
from storage.tables.deals import Deal
from storage.tables.people import Client
from storage.tables.surveys import Survey, SurveyState, Trial
from worker.actions.base import Hands
from worker.actions.question_words import question_for
from worker.rules.planning import WON, SurveyRule
from worker.rules.promo import shown

CLIENT = "Иван Петрович"  # as amoCRM might have it; left out where the language has no such name
CODE = "1234567"  # its check digit does not fit, so it can be nobody's
OURS = "s:-"  # begins the data of a trial's buttons: numbers of surveys begin with no minus
STEPS_A_TRIAL = 100


def number_of(trial: Trial, step: int) -> int:
    """In the place of a survey's id, in buttons."""
    return -((trial.id or 0) * STEPS_A_TRIAL + step)


def step_of(trial: Trial, data: str) -> int | None:
    """Which of its questions this button belongs to; None if it is another trial's."""
    number = data.split(":")[1].removeprefix("-")
    if not number.isdecimal():
        return None
    of, step = divmod(int(number), STEPS_A_TRIAL)
    return step if of == trial.id and step < len(trial.steps) else None


@dataclass(frozen=True, slots=True)
class Cast:
    """A trial as it stands: with rules of the settings, and surveys as if they had been asked."""

    trial: Trial
    rules: Sequence[SurveyRule]
    surveys: Sequence[Survey]
    deal: Deal
    client: Client

    @property
    def has_next(self) -> bool:
        return len(self.trial.steps) < len(self.rules)


def cast_of(hands: Hands, trial: Trial, now: datetime) -> Cast | None:
    """None: one of its surveys was taken out of the settings meanwhile."""
    found = [hands.known.rule(key) for key in trial.surveys]
    rules = [rule for rule in found if rule is not None]
    if len(rules) < len(found):
        return None
    users = {user.name for user in (hands.known.users or {}).values()}
    manager = next((name for name in hands.names if name in users), "")
    manager = manager or hands.known.user_name(hands.known.current_user_id)
    crew = next((name for name in hands.names if name not in users), "")
    surveys = [_survey(trial, step, rule, manager, crew) for step, rule in enumerate(rules)]
    deal = Deal(deal_id=0, status_id=WON, created_at=now, updated_at=now, closed_at=now, seen_at=now)
    return Cast(trial, rules, surveys, deal, Client(key="", name=CLIENT, created_at=now))


def _survey(trial: Trial, step: int, rule: SurveyRule, manager: str, crew: str) -> Survey:
    kept: Json = trial.steps[step] if step < len(trial.steps) else {}
    has_score = kept.get("score") is not None
    state = SurveyState.ANSWERED if has_score else SurveyState.SENT if kept else SurveyState.PLANNED
    return Survey(
        id=number_of(trial, step),
        survey_key=rule.key,
        metric=rule.metric,
        trigger=rule.trigger,
        deal_id=0,
        root_deal_id=0,
        manager=manager,
        subject={"manager": manager, "field": crew}.get(rule.subject, ""),
        subject_is_manager=rule.subject == "manager",
        triggered_at=trial.started_at,
        planned_at=trial.started_at,
        due_at=trial.started_at,
        next_at=trial.started_at,
        state=state,
        channel=trial.channel,
        chat_id=trial.chat_id,
        message_id=str(kept.get("message_id") or ""),
        promo_code=str(kept.get("promo_code") or ""),
        sent_at=trial.started_at if kept else None,
        score=kept.get("score"),
        band=str(kept.get("band") or ""),
        answered_at=_moment(kept.get("answered_at")),
        revision=int(kept.get("revision") or 0),
        confirm_until=_moment(kept.get("confirm_until")),
        asked_again=bool(kept.get("asked_again")),
        reviewed=bool(kept.get("reviewed")),
    )


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def example_code(hands: Hands) -> str:
    """None is issued; this one works nowhere."""
    return shown(hands.referral.code_prefix, CODE)


def may_carry(hands: Hands, channel: str) -> bool:
    """As for a client who agreed to advertising."""
    return not hands.referral.channels or channel in hands.referral.channels


def ask_next(
    hands: Hands, cast: Cast, channel: Channel, now: datetime, *, thanks: str = "",
    wrote_at: datetime | None = None,
) -> Outgoing:  # fmt: skip
    """The next question, which becomes a step of the trial. `thanks` stands above it."""
    step = len(cast.trial.steps)
    rule, survey = cast.rules[step], cast.surveys[step]
    is_template = isinstance(channel, Templated) and channel.needs_template(wrote_at, now)
    is_told = any(kept["promo_code"] for kept in cast.trial.steps)
    carries = rule.promo_in == "question" and may_carry(hands, channel.name) and not is_told
    code = example_code(hands) if carries and not is_template else ""
    question = question_for(
        hands, survey, rule, cast.deal, cast.client, channel,
        code=code, thanks=thanks, is_first=step == 0, is_last=step + 1 == len(cast.rules),
    )  # fmt: skip
    cast.trial.steps = [*cast.trial.steps, {"promo_code": code}]
    return replace(question.message, client_wrote_at=wrote_at)


def conversation(hands: Hands, wanted: str) -> tuple[str, ...]:
    """The surveys that are asked in a row: those that fall due together with this one, from it on.

    "": all that one and the same event calls for, as the first survey does. () if there is no such survey.
    """
    rules = hands.known.rules
    at = next((place for place, rule in enumerate(rules) if rule.key.casefold() == wanted.casefold()), None)
    if wanted and at is None:
        return ()
    first = rules[at or 0]
    return tuple(
        rule.key
        for rule in rules[at or 0 :]
        if rule.trigger == first.trigger
        and (
            not wanted
            or (rule.delay, rule.base, rule.base_field) == (first.delay, first.base, first.base_field)
        )
    )
