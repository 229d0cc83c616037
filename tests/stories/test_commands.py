"""What an administrator types while the worker runs, and what a restored copy does."""

import csv
import io
import json
import shutil

import pytest

from tests.stories.company import IVAN, IVANS_NAME, ON_SQLITE, Company, until

WORDS = "очень довольны воротами"


def answered(shop: Company) -> int:
    """A deal whose client has answered with a score and words."""
    shop.start(reports={"min_answers": 1})
    deal = shop.won_deal()
    shop.wait_for_question()
    shop.ivan_writes(f"9, {WORDS}")
    until(lambda: shop.score(deal) == 9)
    shop.wait_until_idle()
    return deal


@pytest.mark.long  # by day the commands are tried one by one
@ON_SQLITE
def test_numbers_and_replies_are_read_beside_the_worker(shop: Company) -> None:
    deal = answered(shop)
    report = shop.sarafan("report", "--json")
    assert report.returncode == 0, report.stderr
    nps = json.loads(report.stdout)["surveys"]["nps"]
    assert (nps["eligible"], nps["sent"], nps["answered"], nps["promoters"]) == (1, 1, 1, 1)
    assert (nps["score"], nps["response_rate"], nps["uncertain"]) == (100.0, 100.0, 0)
    assert nps["by_manager"] == {
        "Олег Смирнов": {"answered": 1, "score": 100.0, "mean": 9.0, "ci95": [-48.5, 98.5]}
    }

    export = shop.sarafan("export")
    assert export.returncode == 0, export.stderr
    [reply] = csv.DictReader(io.StringIO(export.stdout))
    assert (reply["survey"], reply["deal_id"], reply["score"]) == ("nps", str(deal), "9")
    assert (reply["band"], reply["counts"], reply["text"]) == ("high", "true", WORDS)


@pytest.mark.long  # by day the commands are tried one by one
def test_a_person_is_forgotten_and_not_brought_back(shop: Company) -> None:
    deal = answered(shop)
    done = shop.sarafan("forget", "8 914 666-00-01")
    assert done.returncode == 0, done.stderr
    assert IVAN not in done.stdout
    [reply] = shop.exported()
    assert (reply["score"], reply["text"]) == (9, "")
    # The next change of the deal brings the contact's name and number along.
    shop.amocrm.do("edit_lead", lead_id=deal, price=1000)
    shop.won_deal("Забор")
    until(lambda: shop.metric("sarafan_surveys", 'state="skipped"') == 1, "the second deal's survey ended")
    shop.wait_until_idle()
    assert len(shop.to_ivan()) == 2
    kept = copied(shop)
    assert [text for text in (IVAN[-10:], *IVANS_NAME.split()[1:], WORDS) if text.encode() in kept] == []


def copied(shop: Company) -> bytes:
    """The whole storage as a backup; nothing of PostgreSQL, which has tools of its own for that."""
    if not shop.config["storage"]["url"].startswith("sqlite"):
        return b""
    copy = shop.folder / "copy.db"
    done = shop.sarafan("backup", copy)
    assert done.returncode == 0, done.stderr
    return copy.read_bytes()


@pytest.mark.long  # by day the commands are tried one by one
def test_a_dry_run_tells_what_would_be_sent_and_sends_nothing(new_shop: Company) -> None:
    new_shop.start(survey=[{"key": "nps", "metric": "nps", "delay": "1bd"}])
    deal = new_shop.won_deal()
    until(lambda: new_shop.metric("sarafan_surveys", 'state="planned"') == 1, "a planned survey")
    done = new_shop.sarafan("plan", "--json")
    assert done.returncode == 0, done.stderr
    [line] = json.loads(done.stdout)
    assert (line["survey"], line["deal_id"], line["channel"]) == ("nps", deal, "whatsapp")
    assert line["decision"] == "wait"
    assert IVAN not in done.stdout
    assert "порекомендуете" in line["text"]
    assert new_shop.to_ivan() == []


@pytest.mark.long  # by day the commands are tried one by one
def test_a_check_names_what_is_not_fine_with_the_remedy(new_shop: Company) -> None:
    new_shop.settle(complaints={"topic_field": ""})
    new_shop.whatsapp.do("set_state", state="notAuthorized")
    done = new_shop.sarafan("check", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"]) == (1, False)
    assert {"name", "ok", "found", "remedy"} == set(found["checks"][0])
    [wrong] = [check for check in found["checks"] if not check["ok"]]
    assert "whatsapp" in wrong["name"].lower()
    assert wrong["remedy"]


@pytest.mark.long  # by day tests/flows tells it
def test_a_storage_that_forgot_asks_nobody_again(new_shop: Company) -> None:
    """A backup was restored, then the volume was lost: the mark in the deal's card remembers."""
    new_shop.start()
    new_shop.wait_until_ready()
    backup = new_shop.folder / "backup.db"
    assert new_shop.sarafan("backup", backup).returncode == 0
    deal = new_shop.won_deal()
    new_shop.wait_for_question()
    until(lambda: new_shop.value(deal, "Промокод для друзей"), "the mark that the client was asked")
    new_shop.wait_until_idle()

    for is_restored in (True, False):
        new_shop.kill()
        new_shop.amocrm.do("edit_lead", lead_id=deal, fields={"Опрос": None})
        for file in new_shop.folder.glob("sarafan.db*"):
            file.unlink()
        if is_restored:
            shutil.copy(backup, new_shop.folder / "sarafan.db")
        new_shop.start()
        until(lambda: new_shop.value(deal, "Опрос") == "Не спросили: уже спрашивали")
        new_shop.wait_until_idle()
        assert len(new_shop.questions()) == 1
