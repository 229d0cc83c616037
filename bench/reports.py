"""What a report over years takes on SQLite, against plain SQL and, where it is installed, DuckDB."""

import asyncio
import csv
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.figures import Figure, at_most, ratio
from bench.measure import Run, Spent, spending
from bench.sales_book import ENDS, SPAN, made

PERIODS = {
    "a quarter": timedelta(days=92),
    "a year": timedelta(days=365),
    "everything": SPAN,
}
# As little as the same figures could be made of: sales by manager, scores by manager.
SALES = (
    "SELECT manager_id, count(*), sum(price) FROM deals WHERE status_id = 142 AND closed_at >= ? GROUP BY 1"
)
SCORES = "SELECT manager_id, score, count(*) FROM surveys WHERE answered_at >= ? GROUP BY 1, 2"
COLUMNS = {
    "deals": ("manager_id", "status_id", "price", "closed_at"),
    "surveys": ("manager_id", "score", "answered_at"),
}


def measure(run: Run) -> list[Figure]:
    deals = run.size(1_000_000, 2_000)
    file = run.folder / "sales.db"
    with run.steps(1, f"{deals:,} deals are made"):
        asyncio.run(made(file, deals))
    figures: list[Figure] = []
    for what, span in run.track(list(PERIODS.items()), "reports"):
        figures += _figures(file, deals, what, span)
    with run.steps(1, "a report with sales health"):
        figures += _sales_health(file, deals, without=figures[0])
    file.unlink()
    return figures


def _figures(file: Path, deals: int, what: str, span: timedelta) -> list[Figure]:
    begins = ENDS.date() - span
    took = _report(file, begins)
    plain = _plain(file, begins)
    name = f"report of {what} among {deals:,} deals"
    seconds = Figure(
        what=name,
        value=took["cpu"],
        unit="s",
        note=f"of processor time; {took['won']:,.0f} won, {took['answered']:,.0f} answers in it, "
        f"and those of the period before; {took['wall']:.1f} s by the clock",
    )
    sql = Figure(what=f"… plain SQL: sales and scores of {what}", value=plain.cpu, unit="s")
    found = [
        seconds,
        Figure(
            what=f"… the most memory that the report of {what} took",
            value=took["memory"],
            unit="MB",
            goal=at_most(250) if deals == 1_000_000 else None,
        ),
        sql,
        ratio(f"report of {what} against plain SQL", seconds, sql),
    ]
    if what == "everything":
        found += _duck(file, begins, sql)
    return found


def _sales_health(file: Path, deals: int, *, without: Figure) -> list[Figure]:
    """Of any period every customer there was is counted; of a short one little else is."""
    took = _report(file, ENDS.date() - PERIODS["a quarter"], "--sales-health")
    seconds = Figure(
        what=f"report of a quarter with sales health among {deals:,} deals",
        value=took["cpu"],
        unit="s",
        note=f"of processor time; {took['customers']:,.0f} customers; {took['wall']:.1f} s by the clock",
    )
    return [
        seconds,
        Figure(
            what="… the most memory that it took",
            value=took["memory"],
            unit="MB",
            goal=at_most(250) if deals == 1_000_000 else None,
        ),
        ratio("report of a quarter with sales health against without", seconds, without),
    ]


def _report(file: Path, begins: date, *options: str) -> dict[str, float]:
    """In a process of its own, for its memory."""
    command = [
        sys.executable,
        "-m",
        "bench.one_report",
        str(file),
        begins.isoformat(),
        ENDS.date().isoformat(),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _plain(file: Path, begins: date) -> Spent:
    with spending() as spent:
        connection = sqlite3.connect(file)
        for query in (SALES, SCORES):
            connection.execute(query, (begins.isoformat(),)).fetchall()
        connection.close()
    return spent


def _duck(file: Path, begins: date, sql: Figure) -> list[Figure]:
    """Its reader of SQLite files is an extension that it downloads: without it, of columns copied first."""
    try:
        connect: Callable[[], Any] = import_module("duckdb").connect
    except ImportError:
        return [Figure(what="… DuckDB", value=None, unit="s", note="not installed: pip install duckdb")]
    duck = connect()
    with spending() as copied:
        for table, columns in COLUMNS.items():
            _copy(file, duck, table, columns)
    with spending() as spent:
        for query in (SALES, SCORES):
            duck.execute(query, [begins.isoformat()]).fetchall()
    duck.close()
    alone = Figure(what="… DuckDB: the same of its own columns", value=spent.cpu, unit="s")
    return [
        alone,
        Figure(what="… DuckDB: copying these columns first", value=copied.cpu, unit="s"),
        ratio("plain SQL on SQLite against DuckDB, copying left out", sql, alone),
    ]


def _copy(file: Path, duck: Any, table: str, columns: tuple[str, ...]) -> None:
    rows = file.with_suffix(f".{table}.csv")
    connection = sqlite3.connect(file)
    with rows.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"))  # noqa: S608
    connection.close()
    duck.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv('{rows}')")  # noqa: S608
    rows.unlink()
