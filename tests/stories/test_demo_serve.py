"""`sarafan demo --serve`: somebody opens the page and plays the client and the sales head."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

Json = dict[str, Any]

ANNA = "111111111"
HOSTILE = "<script>alert(1)</script>"
SERVED = Path(__file__).parents[2] / "worker/cli/served"


@dataclass
class Page:
    """What the page's script does, without a browser."""

    http: httpx.Client

    @property
    def state(self) -> Json:
        told: Json = self.http.get("/state").json()
        return told

    def act(self, do: str, **more: object) -> Json:
        answer = self.http.post("/act", json={"do": do, **more})
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    def chat(self, side: str, name: str) -> Json:
        return next(chat for chat in self.state["chats"][side] if chat["name"] == name)

    def last(self, side: str, name: str) -> Json:
        message: Json = self.chat(side, name)["messages"][-1]
        return message

    def press(self, side: str, name: str, button: str) -> str:
        """The newest button of this name; gives what is shown for a moment."""
        chat = self.chat(side, name)
        found = [message["id"] for message in chat["messages"] if button in buttons(message)]
        gate = "whatsapp" if side == "whatsapp" else "telegram"
        toast: str = self.act("press", side=gate, who=chat["id"], message=found[-1], button=button)["toast"]
        return toast

    def deals(self, client: str) -> list[Json]:
        return [deal for deal in self.state["deals"] if deal["client"] == client]


def buttons(message: Json) -> list[str]:
    return [button["text"] for row in message["rows"] for button in row]


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a person starts it, and what it prints until it is ready."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [Path(sys.executable).with_name("sarafan"), "demo", "--serve"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(folder), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout
        told = ""
        while "Ctrl-C" not in told and (line := process.stdout.readline()):
            told += line
        yield process, told
    finally:
        process.kill()
        process.communicate()


def opened(told: str) -> httpx.Client:
    """At the address that was printed."""
    found = re.search(r"http://127\.0\.0\.1:\d+", told)
    assert found, told
    return httpx.Client(base_url=found[0], timeout=60)


@pytest.mark.long
def test_a_person_plays_the_client_and_the_sales_head(tmp_path: Path) -> None:
    with served(tmp_path) as (process, told), opened(told) as http:
        page = Page(http)
        two_questions_wait_when_the_page_opens(page)
        only_what_is_ours_and_from_us(http)
        a_deal_is_closed_and_its_client_is_asked_at_once(page)
        a_three_is_an_alert_that_anna_takes(page)
        the_owner_closes_it_in_amocrm_and_the_client_is_asked_again(page)
        anna_opens_the_dashboard(page)
        a_hostile_name_stays_a_name(page)
        what_cannot_be_done_is_told(http)
        assert "NPS" in http.get("/report").text
        assert page.state["trouble"] == ""

        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []


def two_questions_wait_when_the_page_opens(page: Page) -> None:
    assert "порекомендуете нас друзьям" in page.last("telegram", "Марина Лебедева")["text"]
    assert "порекомендуете нас друзьям" in page.last("whatsapp", "Иван Петров")["text"]
    assert page.chat("whatsapp", "Ольга Вершинина")["messages"] == []
    assert "/complaints" in [command["text"] for command in page.chat("staff", "Анна")["commands"]]


def only_what_is_ours_and_from_us(http: httpx.Client) -> None:
    for path in ("/", "/page.js", "/page.css", "/icon.svg", "/state", "/report", "/nowhere"):
        headers = http.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert http.get("/state", params={"seen": http.get("/state").json()["version"]}).status_code == 204
    assert http.get("/", headers={"host": "evil.example"}).status_code == 403
    form = http.post("/act", content='{"do": "wait", "hours": 24}', headers={"content-type": "text/plain"})
    assert form.status_code == 415


def a_deal_is_closed_and_its_client_is_asked_at_once(page: Page) -> None:
    [deal] = page.deals("Ольга Вершинина")
    page.act("close", deal=deal["id"])
    assert "порекомендуете нас друзьям" in page.last("whatsapp", "Ольга Вершинина")["text"]
    page.press("whatsapp", "Ольга Вершинина", "9")
    [poll, thanks] = page.chat("whatsapp", "Ольга Вершинина")["messages"]
    assert [button["text"] for row in poll["rows"] for button in row if button["is_chosen"]] == ["9"]
    assert "менеджера" in thanks["text"]
    [deal] = page.deals("Ольга Вершинина")
    assert {"name": "NPS", "value": "9"} in deal["fields"]
    page.act("say", side="whatsapp", who=page.chat("whatsapp", "Ольга Вершинина")["id"], text="5, спасибо")
    assert {"name": "CSAT", "value": "5"} in page.deals("Ольга Вершинина")[0]["fields"]


def a_three_is_an_alert_that_anna_takes(page: Page) -> None:
    page.press("telegram", "Марина Лебедева", "3")
    marina = page.chat("telegram", "Марина Лебедева")["id"]
    page.act("say", side="telegram", who=marina, text=f"монтаж три недели {HOSTILE}")
    alert = page.chat("staff", "Анна")["messages"][0]
    assert alert["text"].startswith("Низкая оценка: 3 из 10")
    assert HOSTILE in alert["text"]
    assert "Беру" in buttons(alert)
    assert "Анна" in page.press("staff", "Анна", "Беру")
    assert "Взято: Анна" in page.chat("staff", "Анна")["messages"][0]["text"]
    [complaint] = [deal for deal in page.deals("Марина Лебедева") if deal["is_complaint"]]
    assert complaint["manager"] == "Анна Котова"
    assert any("Связаться с клиентом" in task["text"] for task in complaint["tasks"])
    page.act("say", side="telegram", who=ANNA, text="/complaints")
    assert "Марина Лебедева" in page.last("staff", "Анна")["text"]


def the_owner_closes_it_in_amocrm_and_the_client_is_asked_again(page: Page) -> None:
    [complaint] = [deal for deal in page.deals("Марина Лебедева") if deal["is_complaint"]]
    page.act("take", deal=complaint["id"])
    page.act("close", deal=complaint["id"])
    was = page.state["clock"]
    page.act("wait", hours=1)
    page.act("wait", hours=1)
    assert page.state["clock"] != was
    assert "Удалось ли решить вопрос" in page.last("telegram", "Марина Лебедева")["text"]


def anna_opens_the_dashboard(page: Page) -> None:
    page.act("say", side="telegram", who=ANNA, text="/dashboard")
    [[link]] = page.last("staff", "Анна")["rows"]
    assert link["text"] == "Открыть страницу"
    assert link["url"].startswith(f"{str(page.http.base_url).rstrip('/')}/dashboard?token=")
    shown = page.http.get(link["url"])
    assert "<svg" in shown.text
    assert "unsafe" not in shown.headers["content-security-policy"]
    assert "nonce-" in shown.headers["content-security-policy"]


def a_hostile_name_stays_a_name(page: Page) -> None:
    """It travels as JSON, and the script makes nothing but text of it."""
    page.act("arrive", name=HOSTILE, by="telegram")
    chat = page.chat("telegram", HOSTILE)
    assert chat["can_start"]
    page.act("start", who=int(chat["id"]))
    [deal] = page.deals(HOSTILE)
    page.act("close", deal=deal["id"])
    assert "порекомендуете нас друзьям" in page.last("telegram", HOSTILE)["text"]
    assert HOSTILE not in page.http.get("/").text
    assert page.http.get("/state").headers["content-type"] == "application/json"


def what_cannot_be_done_is_told(http: httpx.Client) -> None:
    for wish, status in (
        ({"do": "fly"}, 400),
        ({"do": "say", "side": "telegram", "who": ANNA, "text": " "}, 400),
        ({"do": "wait", "hours": 1000}, 400),
        ({"do": "press", "side": "telegram", "who": ANNA, "message": "1", "button": "Беру ещё"}, 409),
        ({"do": "say", "side": "whatsapp", "who": "+79990000000", "text": "9"}, 409),
        ({"do": "start", "who": 1}, 409),
        ({"do": "close", "deal": 1}, 409),
        ({"do": "arrive", "name": "Анна", "by": "telegram"}, 409),
    ):
        answer = http.post("/act", json=wish)
        assert answer.status_code == status, wish
        assert answer.json()["error"].endswith(".")
    assert http.post("/act", json={"do": "x" * 30_000}).status_code == 413


@pytest.mark.parametrize("way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("])
def test_the_script_makes_no_markup_of_what_people_typed(way: str) -> None:
    assert way not in (SERVED / "page.js").read_text(encoding="utf-8")


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = (SERVED / "page.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!/|#)[^"]*"', page) == []
    assert re.findall(r"<script(?! src=)|\bstyle=|\bon\w+=", page) == []
    assert "url(" not in (SERVED / "page.css").read_text(encoding="utf-8")
