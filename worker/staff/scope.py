"""What reports are about: the surveys of the settings by their titles, and what the account says of sales."""

from collections.abc import Iterable
from dataclasses import replace

from worker.account.account import Account
from worker.config.sections.complaints import Complaints
from worker.config.sections.surveys import SurveySettings
from worker.metrics.base import Asked, Promises
from worker.reports.build import ReactionTerms, ReportScope
from worker.rules.calendar import Calendar
from worker.rules.wording import Texts


def report_scope(
    surveys: Iterable[SurveySettings],
    texts: Texts,
    account: Account | None,
    *,
    company: str,
    min_answers: int,
    discount: str = "",
    referral_period: str = "quarter",
    promises: Promises | None = None,
    reactions: ReactionTerms | None = None,
    sales_health: bool = False,
) -> ReportScope:
    """Before amoCRM answered for the first time there is no account."""
    asked = tuple(
        Asked(
            key=survey.key,
            metric=survey.metric,
            title=texts.fill(title_key(survey.metric, survey.trigger, survey.subject)),
            scale=survey.answers,
            subject="field" if survey.subject_field else survey.subject,
        )
        for survey in surveys
    )
    scope = ReportScope(
        surveys=asked,
        min_answers=min_answers,
        company=company,
        discount=discount,
        referral_period=referral_period,
        promises=promises,
        reactions=reactions,
        sales_health=sales_health,
    )
    if account is None:
        return scope
    return replace(
        scope,
        sales_pipelines=account.sales_pipelines,
        complaints_pipeline=account.complaints_pipeline,
        has_topics=account.topic_field is not None,
        currency=account.currency or scope.currency,
        referral_field=account.fields.referral,
        users={user.id: user.name for user in (account.users or {}).values()},
        pipelines=account.pipelines,
    )


def promises_of(calendar: Calendar, terms: Complaints) -> Promises:
    return Promises(calendar=calendar, taken=terms.take_within, contacted=terms.task_deadline)


def title_key(metric: str, trigger: str, subject: str) -> str:
    special = {"complaint_closed": "survey.complaint", "deal_lost": "survey.lost"}.get(trigger)
    if special:
        return special
    if metric == "csat" and subject:
        return "survey.csat_manager" if subject == "manager" else "survey.csat_field"
    return f"survey.{metric}"
