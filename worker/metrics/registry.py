"""Every metric, in the order of the report. A new one is a line here."""

from worker.metrics import average_check, channels, complaints, fairness, referrals, requests, surveys
from worker.metrics.base import Metric

METRICS: tuple[Metric, ...] = (
    surveys.METRIC,
    complaints.METRIC,
    requests.METRIC,
    referrals.METRIC,
    average_check.METRIC,
    channels.METRIC,
    fairness.METRIC,
)
