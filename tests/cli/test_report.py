"""`sarafan report --format …`: the same numbers as text, JSON, a workbook, a page and a picture."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Sarafan


def test_the_workbook_has_the_numbers_of_the_json(sarafan: Sarafan, tmp_path: Path) -> None:
    out = tmp_path / "q3.xlsx"
    told = sarafan("report", "--period", "2026Q3", "--format", "xlsx", "--out", str(out))
    assert (told.exit_code, told.stdout) == (0, "")
    referrals = json.loads(sarafan("report", "--period", "2026Q3", "--json").stdout)["referrals"]
    sheet = load_workbook(out)["Рекомендации — итоги"]
    cells = {column[0].value: column[1].value for column in sheet.iter_cols()}
    assert cells["Выигранных сделок"] == referrals["won_deals"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_workbook_goes_down_a_pipe_too(sarafan: Sarafan) -> None:
    for more in ((), ("--out", "-")):
        told = sarafan("report", "--format", "xlsx", *more)
        assert told.exit_code == 0
        assert load_workbook(io.BytesIO(told.stdout_bytes)).sheetnames[0] == "Отчёт"


def test_the_page_is_a_file_that_stands_alone(sarafan: Sarafan, tmp_path: Path) -> None:
    out = tmp_path / "q3.html"
    told = sarafan("report", "--period", "2026Q3", "--format", "html", "--out", str(out))
    assert (told.exit_code, told.output) == (0, "")
    html = out.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "ВладАвтоматика: III квартал 2026" in html


def test_the_picture_is_a_png_even_of_nothing(sarafan: Sarafan, tmp_path: Path) -> None:
    out = tmp_path / "q3.png"
    assert sarafan("report", "--period", "2026Q3", "--format", "png", "--out", str(out)).exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_is_told_and_leaves_no_file(
    sarafan: Sarafan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    out = tmp_path / "q3.png"
    told = sarafan("report", "--format", "png", "--out", str(out))
    assert told.exit_code == 1
    assert "Картинка не нарисовалась" in told.stderr
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_told(sarafan: Sarafan, tmp_path: Path) -> None:
    told = sarafan("report", "--format", "xlsx", "--out", str(tmp_path))
    assert told.exit_code == 1
    assert f"{tmp_path} не записать: это папка." in told.stderr


def test_the_folder_here_is_no_file_either(sarafan: Sarafan) -> None:
    told = sarafan("report", "--format", "json", "--out", ".")
    assert (told.exit_code, told.output) == (1, ". не записать: это папка.\n")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("q3.xlsx", b"PK"), ("q3.HTML", b"<!doctype html>"), ("q3.json", b"{"), ("q3.txt", b"")],
)
def test_the_name_of_the_file_says_which_face_is_wanted(
    sarafan: Sarafan, tmp_path: Path, name: str, begins: bytes
) -> None:
    out = tmp_path / name
    assert sarafan("report", "--period", "2026Q3", "--out", str(out)).exit_code == 0
    assert out.read_bytes().startswith(begins or "ВладАвтоматика: III квартал 2026".encode())


def test_a_format_that_is_asked_for_wins_over_the_name(sarafan: Sarafan, tmp_path: Path) -> None:
    out = tmp_path / "q3.html"
    assert sarafan("report", "--json", "--out", str(out)).exit_code == 0
    assert "surveys" in json.loads(out.read_text(encoding="utf-8"))


def test_a_name_that_promises_what_there_is_not_is_refused_with_what_there_is(
    sarafan: Sarafan, tmp_path: Path
) -> None:
    out = tmp_path / "q3.pdf"
    told = sarafan("report", "--out", str(out))
    assert (told.exit_code, told.stderr.splitlines()[0]) == (
        2,
        "--out: отчёта в виде .pdf не бывает, а бывает --format text, json, xlsx, html, png.",
    )
    assert not out.exists()


def test_a_terminal_is_spared_what_it_cannot_show() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "worker.cli.main", "report", "--format", "xlsx"]
    told = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    os.close(theirs)
    os.close(ours)
    assert told.returncode == 2
    assert "на экран не вывести: добавьте --out ФАЙЛ" in told.stderr
