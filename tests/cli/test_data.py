"""`report`, `export` and `forget`: what the storage holds, without any network."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel
from typer.testing import CliRunner

from storage.database import Database
from storage.tables.people import Client
from storage.tables.surveys import Reply, Survey, SurveyState
from tests.cli.conftest import CONFIG, Sarafan
from worker.cli.main import app

AUGUST = datetime(2026, 8, 3, 4, 5, 6, 789, tzinfo=UTC)
COLUMNS = [
    "received_at", "channel", "external_id", "survey", "metric", "deal_id", "contact_id", "manager",
    "subject", "score", "band", "late", "counts", "text",
]  # fmt: skip


def keep(db_url: str, *rows: SQLModel) -> None:
    async def write() -> None:
        db = await Database.open(db_url)
        async with db.transaction() as tx:
            tx.add_all(rows)
        await db.close()

    asyncio.run(write())


@pytest.fixture
def answered(db_url: str) -> None:
    """Мария gave a 9 in words, and wrote once more without a score."""
    keep(
        db_url,
        Client(client_id=1, key="phone:+79140000001", phone="+79140000001", name="Мария", created_at=AUGUST),
        Survey(
            id=1, survey_key="nps", metric="nps", trigger="deal_won", deal_id=501, root_deal_id=501,
            client_id=1, contact_id=301, manager_id=77, manager="Олег", triggered_at=AUGUST,
            planned_at=AUGUST, due_at=AUGUST, next_at=AUGUST, settled_at=AUGUST, answered_at=AUGUST,
            state=SurveyState.ANSWERED, channel="whatsapp", score=9, band="high",
        ),
        Reply(
            channel="whatsapp", external_id="in1", received_at=AUGUST, client_id=1, survey_id=1, score=9,
            band="high", counts=True, text='9, "спасибо"; Олегу\nи мастерам',
        ),
        Reply(
            channel="whatsapp", external_id="in2", received_at=AUGUST + timedelta(minutes=1), client_id=1,
            text="Сколько стоит пульт?",
        ),
    )  # fmt: skip


# report


@pytest.mark.usefixtures("answered")
def test_the_report_counts_what_is_there(sarafan: Sarafan) -> None:
    told = sarafan("report", "--json", "--period", "2026Q3")
    assert told.exit_code == 0
    report = json.loads(told.stdout)
    assert report["period"] == {"from": "2026-07-01", "to": "2026-10-01", "timezone": "Asia/Vladivostok"}
    assert (report["surveys"]["nps"]["sent"], report["surveys"]["nps"]["promoters"]) == (1, 1)
    assert {"complaints", "referrals"} <= report.keys()


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    ("words", "first", "end"),
    [
        (("--from", "2026-08-01", "--to", "2026-08-15"), "2026-08-01", "2026-08-15"),
        (("--period", "2026-08"), "2026-08-01", "2026-09-01"),
        (("--period", "2026-W45"), "2026-11-02", "2026-11-09"),
    ],
)
def test_a_period_is_half_open(sarafan: Sarafan, words: tuple[str, ...], first: str, end: str) -> None:
    period = json.loads(sarafan("report", "--format", "json", *words).stdout)["period"]
    assert (period["from"], period["to"]) == (first, end)


def test_by_default_it_is_the_quarter_so_far(sarafan: Sarafan) -> None:
    period = json.loads(sarafan("report", "--json").stdout)["period"]
    first, end = (datetime.fromisoformat(period[key]) for key in ("from", "to"))
    assert (first.month % 3, first.day) == (1, 1)
    assert first < end <= first + timedelta(days=93)


@pytest.mark.usefixtures("answered")
def test_the_report_is_text_for_people(sarafan: Sarafan, tmp_path: Path) -> None:
    told = sarafan("report", "--period", "2026Q3")
    assert told.exit_code == 0
    assert "ВладАвтоматика" in told.stdout
    assert "NPS" in told.stdout
    out = tmp_path / "report.txt"
    assert sarafan("report", "--period", "2026Q3", "--out", str(out)).stdout == ""
    assert "NPS" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "pdf"), "--format: указано pdf, а бывает: text, json, xlsx, html, png."),
        (("--json", "--format", "text"), "оставьте одно"),
        (("--json", "--format", "xlsx"), "оставьте одно"),
        (("--period", "summer"), "2026Q3"),
        (("--period", "2026Q3", "--from", "2026-07-01"), "или --period, или --from и --to"),
        (("--to", "2026-07-01"), "--to: без --from не работает."),
        (("--from", "01.07.2026"), "2026-07-01"),
        (("--from", "2026-07-02", "--to", "2026-07-02"), "не позже, чем 2026-07-02"),
    ],
)
def test_wrong_use_is_told(sarafan: Sarafan, words: tuple[str, ...], said: str) -> None:
    told = sarafan("report", *words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert "Справка: " in told.stderr


def test_without_a_storage_the_work_fails(sarafan: Sarafan, config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.format(url=f"sqlite:///{tmp_path}/none.db"), encoding="utf-8")
    for command in (
        ("report",),
        ("export",),
        ("forget", "+79140000001"),
        ("backup", str(tmp_path / "copy.db")),
    ):
        told = sarafan(*command)
        assert told.exit_code == 1
        assert "Traceback" not in told.output
        assert "none.db" in told.stderr
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_cannot_be_written_fails(sarafan: Sarafan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    told = sarafan("report", "--out", str(tmp_path / "file" / "report.txt"))
    assert told.exit_code == 1
    assert "report.txt не записать: на этом месте уже есть файл." in told.stderr


def test_the_folder_of_a_file_is_made(sarafan: Sarafan, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b" / "report.txt"
    assert sarafan("report", "--out", str(out)).exit_code == 0
    assert "NPS" in out.read_text(encoding="utf-8")


# export


@pytest.mark.usefixtures("answered")
def test_export_gives_every_reply(sarafan: Sarafan) -> None:
    told = sarafan("export", "--period", "2026Q3")
    assert told.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(told.stdout, newline="")))
    assert told.stdout.splitlines()[0] == ",".join(COLUMNS)
    assert [row["text"] for row in rows] == ['9, "спасибо"; Олегу\nи мастерам', "Сколько стоит пульт?"]
    assert rows[0]["received_at"] == "2026-08-03T14:05:06+10:00"
    assert [row["counts"] for row in rows] == ["true", "false"]
    assert (rows[0]["score"], rows[1]["score"], rows[1]["survey"]) == ("9", "", "")


@pytest.mark.usefixtures("answered")
def test_export_gives_json_lines_too(sarafan: Sarafan, tmp_path: Path) -> None:
    out = tmp_path / "replies.jsonl"
    assert (
        sarafan("export", "--json", "--from", "2026-08-01", "--to", "2026-08-04", "--out", str(out)).exit_code
        == 0
    )
    first, second = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert list(first) == COLUMNS
    assert (first["score"], first["counts"], first["manager"]) == (9, True, "Олег")
    assert (second["score"], second["survey"], second["band"]) == (None, None, None)


@pytest.mark.usefixtures("answered")
def test_a_period_without_replies_exports_the_heading_alone(sarafan: Sarafan) -> None:
    assert sarafan("export", "--period", "2025").stdout == ",".join(COLUMNS) + "\n"


# forget


@pytest.mark.usefixtures("answered")
def test_forget_erases_and_tells_what(sarafan: Sarafan) -> None:
    told = sarafan("forget", "8 (914) 000-00-01")
    assert told.exit_code == 0
    assert told.stdout.startswith("+7***0001: стёрто. Клиентов: 1, контактов: 0, чатов: 0, ответов: 2")
    lines = sarafan("export", "--json", "--period", "2026Q3").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["", ""]
    assert json.loads(lines[0])["score"] == 9


def test_nobody_to_forget_is_fine(sarafan: Sarafan) -> None:
    told = sarafan("forget", "+79140000009")
    assert told.exit_code == 0
    assert "такого номера нет" in told.stdout
    assert json.loads(sarafan("forget", "+79140000009", "--json").stdout)["clients"] == 0


def test_what_is_no_number_is_wrong_use(sarafan: Sarafan) -> None:
    told = sarafan("forget", "Мария")
    assert told.exit_code == 2
    assert "+79141234567" in told.stderr


def test_a_storage_that_is_not_there_is_named_as_the_file_gives_it(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    url = f"sqlite:///{tmp_path}/none.db"
    config.write_text(CONFIG.format(url=url), encoding="utf-8")
    told = CliRunner().invoke(app, ["report", "--config", str(config)])
    assert (told.exit_code, f"Базы {url} ещё нет" in told.stderr) == (1, True)
    config.write_text(
        CONFIG.format(url=url).replace("[company]", '[company]\nlanguage = "en"'), encoding="utf-8"
    )
    told = CliRunner().invoke(app, ["report", "--config", str(config)])
    assert (told.exit_code, f"There is no database at {url} yet" in told.stderr) == (1, True)
