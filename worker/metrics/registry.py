"""Every metric, in the order of the report. A new one is a line here."""

from worker.metrics import (
    average_check,
    channels,
    cohorts,
    complaints,
    fairness,
    frt,
    iqs,
    links,
    referrals,
    requests,
    retention,
    segments,
    surveys,
)
from worker.metrics.base import Metric

METRICS: tuple[Metric, ...] = (
    surveys.METRIC,
    complaints.METRIC,
    requests.METRIC,
    frt.METRIC,
    iqs.METRIC,
    referrals.METRIC,
    average_check.METRIC,
    channels.METRIC,
    fairness.METRIC,
)

# For companies whose clients buy again: in the report only where the settings ask for them.
SALES_HEALTH: tuple[Metric, ...] = (retention.METRIC, segments.METRIC, cohorts.METRIC, links.METRIC)
