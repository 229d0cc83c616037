"""Every kind of chart that can be drawn, by the name that plain values give it."""

from collections.abc import Mapping

from worker.reports.charts.bars import BARS
from worker.reports.charts.box import Drawing
from worker.reports.charts.dots import DOTS
from worker.reports.charts.spots import SPOTS
from worker.reports.charts.stack import STACK
from worker.reports.charts.trend import TREND

KINDS: Mapping[str, Drawing] = {"bars": BARS, "dots": DOTS, "trend": TREND, "stack": STACK, "spots": SPOTS}
