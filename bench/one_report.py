"""`python -m bench.one_report FILE FROM TO`: one report in a process of its own, and what it took."""

import asyncio
import json
import os
import sys
from datetime import UTC, date
from zoneinfo import ZoneInfo

from bench.measure import memory, spending
from bench.sales_book import COMPLAINTS_PIPELINE, ENDS, PIPELINE
from storage.database import Database
from worker.metrics.base import Asked
from worker.reports.build import ReportScope, as_json, build_report
from worker.rules.periods import Period, days
from worker.rules.scale import Scale

ZONE = ZoneInfo("Asia/Vladivostok")
SCALE = Scale(first=1, last=10, low=5, high=9)
SCOPE = ReportScope(
    surveys=(Asked(key="nps", metric="nps", title="NPS", scale=SCALE),),
    complaints_pipeline=COMPLAINTS_PIPELINE,
    referral_field=3001,
    discount="5%",
    pipelines={PIPELINE: "Продажи"},
)


async def report(file: str, period: Period) -> dict[str, object]:
    db = await Database.open(f"sqlite:///{file}", migrate=False)
    try:
        before = memory(os.getpid())
        with spending() as spent:
            made = as_json(await build_report(db, period, SCOPE, ENDS.astimezone(UTC)))
        return {
            "wall": spent.wall,
            "cpu": spent.cpu,
            "memory": memory(os.getpid(), "VmHWM") - before,
            "won": made["referrals"]["won_deals"],
            "answered": made["surveys"]["nps"]["answered"],
        }
    finally:
        await db.close()


if __name__ == "__main__":
    begins, ends = (date.fromisoformat(text) for text in sys.argv[2:4])
    print(json.dumps(asyncio.run(report(sys.argv[1], days(begins, ends, ZONE)))))  # noqa: T201
