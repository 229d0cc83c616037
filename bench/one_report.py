"""`python -m bench.one_report FILE FROM TO`: one report in a process of its own, and what it took."""

import argparse
import asyncio
import json
import os
from dataclasses import replace
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


async def report(file: str, period: Period, scope: ReportScope) -> dict[str, object]:
    db = await Database.open(f"sqlite:///{file}", migrate=False)
    try:
        before = memory(os.getpid())
        with spending() as spent:
            made = as_json(await build_report(db, period, scope, ENDS.astimezone(UTC)))
        return {
            "wall": spent.wall,
            "cpu": spent.cpu,
            "memory": memory(os.getpid(), "VmHWM") - before,
            "won": made["referrals"]["won_deals"],
            "answered": made["surveys"]["nps"]["answered"],
            "customers": made["retention"]["customers"] if scope.sales_health else 0,
        }
    finally:
        await db.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("begins", type=date.fromisoformat)
    parser.add_argument("ends", type=date.fromisoformat)
    parser.add_argument("--sales-health", action="store_true")
    given = parser.parse_args()
    period, scope = days(given.begins, given.ends, ZONE), replace(SCOPE, sales_health=given.sales_health)
    print(json.dumps(asyncio.run(report(given.file, period, scope))))  # noqa: T201
