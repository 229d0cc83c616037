"""The workbook in LibreOffice, where it is installed: it opens, and its sums are those of the JSON."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.reports.made import full, texts
from worker.reports.build import as_json
from worker.reports.draw import draw
from worker.reports.sheet import as_xlsx

pytestmark = pytest.mark.long

# Each sheet as a file of its own, cells as they are and not as they are shown:
# https://help.libreoffice.org/latest/en-US/text/shared/guide/csv_params.html
AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: apt-get install --no-install-recommends libreoffice-calc")
    folder = tmp_path_factory.mktemp("office")
    (folder / "q3.xlsx").write_bytes(as_xlsx(draw(full(), texts()), texts()))
    command = [office, "--headless", "--convert-to", AS_CSV, "--outdir", str(folder), str(folder / "q3.xlsx")]
    home = {**os.environ, "HOME": str(folder)}
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=home)  # noqa: S603
    return {file.stem.removeprefix("q3-"): rows_of(file) for file in folder.glob("*.csv")}


def rows_of(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [*csv.reader(lines)]


def column(rows: list[list[str]], title: str) -> list[float]:
    place = rows[0].index(title)
    return [float(row[place]) for row in rows[1:] if row[place]]


def test_sums_and_figures_are_those_of_the_json(sheets: dict[str, list[list[str]]]) -> None:
    report = as_json(full())
    nps, referrals = report["surveys"]["nps"], report["referrals"]
    assert sum(column(sheets["NPS — оценки"], "Сколько")) == nps["answered"]
    assert sum(column(sheets["NPS — кого не спросили"], "Сколько")) == sum(nps["not_sent"].values())
    assert sum(column(sheets["NPS — менеджеры"], "Ответов")) == sum(
        of["answered"] for of in nps["by_manager"].values()
    )
    assert column(sheets["NPS — итоги"], "NPS") == [nps["score"]]
    summary = sheets["Рекомендации — итоги"]
    assert column(summary, "Сумма выигранных, ₽") == [referrals["won_amount"]]
    assert column(summary, "Средний чек остальных, ₽") == [referrals["other_average_check"]]
    sent = sum(of["sent"] for of in report["channels"].values())
    assert sum(column(sheets["Каналы"], "Спросили")) == sent
