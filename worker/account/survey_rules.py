"""The surveys of the settings as rules that know amoCRM's ids."""

from collections.abc import Iterator, Sequence

from integrations.amocrm.models import Pipeline, Status
from integrations.amocrm.names import folded
from worker.account.account import FieldIds
from worker.account.lookup import STATUS, Lookup
from worker.config.sections.surveys import SurveySettings
from worker.config.words import Words
from worker.rules.planning import SurveyRule

SCORE_TYPES = frozenset({"numeric", "text", "textarea"})  # of fields that take a number
DATE_TYPES = frozenset({"date", "date_time", "birthday"})


def survey_rules(look: Lookup, ids: FieldIds, complaints: Pipeline | None) -> Iterator[SurveyRule]:
    """One for each survey; each must have a score field of its own, or none."""
    by_field: dict[int, str] = {}
    for survey in look.settings.surveys:
        rule = _rule(look, survey, ids, complaints)
        if rule.score_field is not None and rule.score_field in by_field:
            other = by_field[rule.score_field]
            look.fail(f"survey.{survey.key}.field", Words(
                f"в это поле уже пишет опрос {other}. Нужно своё поле",
                f"survey {other} writes to this field already. Name another one",
            ))  # fmt: skip
        elif rule.score_field is not None:
            by_field[rule.score_field] = survey.key
        yield rule


def _rule(look: Lookup, survey: SurveySettings, ids: FieldIds, complaints: Pipeline | None) -> SurveyRule:
    key = f"survey.{survey.key}"
    pipelines = look.pipelines(f"{key}.pipelines", survey.pipelines)
    score_field = (
        look.deal_field_id(f"{key}.field", survey.field) if survey.field else ids.of_metric(survey.metric)
    )
    _check_score_field(look, f"{key}.field", score_field)
    in_pipelines = [
        pipeline
        for pipeline in look.known.pipelines
        if (pipeline.id in pipelines if pipelines else pipeline != complaints)
    ]
    return SurveyRule(
        key=survey.key,
        metric=survey.metric,
        trigger=survey.trigger,
        scale=survey.answers,
        pipelines=pipelines,
        statuses=_statuses(look, f"{key}.statuses", survey.statuses, in_pipelines),
        base="field" if survey.base_field else survey.base,
        base_field=_date_field(look, f"{key}.from", survey.base_field),
        delay=survey.delay,
        subject="field" if survey.subject_field else survey.subject,
        subject_field=look.deal_field_id(f"{key}.subject", survey.subject_field),
        score_field=score_field,
        on_low=survey.on_low,
        confirm_low=survey.confirm_low,
        promo_in=survey.promo_in,
    )


def _statuses(
    look: Lookup, key: str, names: Sequence[str], pipelines: Sequence[Pipeline]
) -> frozenset[tuple[int, int]]:
    """(pipeline, status): a name counts in each of the survey's pipelines that has it."""
    found: set[tuple[int, int]] = set()
    for wanted in names:
        pairs = {
            (pipeline.id, status.id)
            for pipeline in pipelines
            for status in _called(wanted, pipeline.statuses)
        }
        if not pairs:
            every = [status for pipeline in pipelines for status in pipeline.statuses]
            look.find(key, wanted, every, STATUS)
        found |= pairs
    return frozenset(found)


def _called(wanted: str, statuses: Sequence[Status]) -> list[Status]:
    by_name = [status for status in statuses if folded(status.name) == folded(wanted)]
    return by_name or [status for status in statuses if str(status.id) == wanted.strip()]


def _date_field(look: Lookup, key: str, wanted: str) -> int | None:
    row = look.deal_field(key, wanted)
    if row is not None and row.type not in DATE_TYPES:
        look.fail(key, Words(
            f'«{row.name}» — не поле с датой ({row.type}). Пример: from = "field:Дата монтажа"',
            f'«{row.name}» is no date field ({row.type}). Example: from = "field:Дата монтажа"',
        ))  # fmt: skip
    return row.id if row is not None else None


def _check_score_field(look: Lookup, key: str, found: int | None) -> None:
    row = look.deal_field_with(found)
    if row is not None and row.type not in SCORE_TYPES:
        look.warn(key, Words(
            f"поле «{row.name}» — не число и не текст ({row.type}): оценка может не записаться",
            f"the field «{row.name}» is neither a number nor a text ({row.type}): scores may be refused",
        ))  # fmt: skip
