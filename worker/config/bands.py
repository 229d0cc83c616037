"""The borders of a survey's bands: `low` and `high` follow the scale where the metric knows them."""

from dataclasses import replace

from worker.config.findings import MISSING
from worker.config.sections.surveys import SurveySettings
from worker.config.sources import KeyPath
from worker.config.telling import Telling
from worker.config.words import Expected
from worker.rules.kinds.registry import KINDS
from worker.rules.scale import parse_range


def with_bands(survey: SurveySettings, path: KeyPath, telling: Telling) -> SurveySettings:
    """The survey of this table with both borders; as it was if they are wrong, which is told."""
    if telling.told & {(*path, "scale"), (*path, "options")}:
        return survey
    values = [option.value for option in survey.options]
    if values and len(set(values)) < max(2, len(values)):
        telling.wrong((*path, "options"), values, Expected(
            "хотя бы два варианта с разными value",
            "two options at least, each with its own value",
            '[{label = "Отлично", value = 5}, {label = "Плохо", value = 2}]',
        ))  # fmt: skip
        return survey
    low, high = _borders(survey)
    if low is None or high is None:
        for key, border, example in (("low", low, min(values or [3])), ("high", high, max(values or [5]))):
            if border is None:
                telling.wrong((*path, key), MISSING, Expected(
                    "граница: у этой шкалы нет своих low и high",
                    "a border: this scale has no low and high of its own",
                    str(example),
                ))  # fmt: skip
        return survey
    whole = replace(survey, low=low, high=high)
    try:
        scale = whole.answers
    except ValueError:
        ends = f"{min(values)}-{max(values)}" if values else survey.scale
        telling.wrong((*path, "low"), low, Expected(
            f"low меньше high ({high}), и оба внутри шкалы {ends}",
            f"low below high ({high}), both on the scale {ends}",
            ends.partition("-")[0],
        ))  # fmt: skip
        return whole
    return replace(whole, scale=f"{scale.first}-{scale.last}")


def _borders(survey: SurveySettings) -> tuple[int | None, int | None]:
    """`low` and `high`, given or known; None for what is neither."""
    known_low, known_high = _known_bands(survey) or (None, None)
    return (
        known_low if survey.low is None else survey.low,
        known_high if survey.high is None else survey.high,
    )


def _known_bands(survey: SurveySettings) -> tuple[int, int] | None:
    """Of labelled options, of which some numbers may be left out, the scale that ends where they end."""
    kind = KINDS[survey.metric]
    if not survey.options:
        return kind.bands(*parse_range(survey.scale))
    values = [option.value for option in survey.options]
    last = max(values)
    ranges = ((first, last) for first in (min(values), 1, 0) if first <= min(values))
    return next((bands for ends in ranges if (bands := kind.bands(*ends))), None)
