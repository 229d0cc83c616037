"""/dashboard: the link in the bot, and the page behind it as a browser gets it."""

import io
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import httpx
import openpyxl
import pytest

from storage import state
from storage.errors import Unavailable
from tests.flows.test_staff_commands import (
    BOSS,
    CSAT,
    EVERYBODY,
    HEAD,
    NPS,
    OLEG,
    PERIODS,
    answer,
    opens,
    sends,
)
from tests.world import ANNA, MAX_BOT, ZONE, World, configured
from worker.actions import dashboard
from worker.reports.pictures import PictureError
from worker.reports.pictures import svgs as really_draw
from worker.rules.links import sign
from worker.web.server import build_app

PUBLIC = {"http": {"public_url": "https://sarafan.example.com/"}}
EXPIRED = "Ссылка устарела. Новую пришлёт бот по команде /dashboard."
GROUP = -4_000_100


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A process for each page takes seconds: counted instead, but where a test asks for the real ones."""
    drawn: list[int] = []

    async def svgs(charts: Any, _: Any) -> Mapping[str, str]:
        drawn.append(len(charts))
        return {}

    monkeypatch.setattr(dashboard, "svgs", svgs)
    return drawn


@pytest.fixture
async def browser(town: World) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(town.app.health, webhook_secret="", wake_pull=lambda: None, show=town.app.dashboard.show)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://sarafan") as client:
        yield client


async def link(town: World, who: str = "Анна") -> str:
    """What the button in the bot opens."""
    said = await answer(town, "/dashboard", who)
    assert said.labels == ["Открыть страницу"]
    url: str = said.buttons[0]["url"]
    assert url.startswith("https://sarafan.example.com/dashboard?token=")
    return url.removeprefix("https://sarafan.example.com")


def sections(page: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)">', page)


def choices(page: str) -> dict[str, str]:
    """The links of the switches, by their words."""
    found = re.findall(r'<a href="(\?[^"]+)"[^>]*>([^<]+)</a>', page)
    return {unescape(title): f"/dashboard{unescape(url)}" for url, title in found}


def chosen(page: str) -> list[str]:
    return re.findall(r'<a href="[^"]+" aria-current="page">([^<]+)</a>', page)


async def scored(town: World, phone: str, name: str, score: int, **deal: Any) -> None:
    await town.asked([town.contact(name, phone)], **deal)
    town.whatsapp.says(phone, str(score))
    await town.step()


@configured(PUBLIC)
async def test_the_link_opens_the_report_as_a_page(town: World, browser: httpx.AsyncClient) -> None:
    await town.asked(price=100_000)
    await town.ivan_writes("3, монтаж три недели")
    said = await answer(town, "/dashboard")
    assert said.text == (
        "Всё на одной странице: графики и таблицы. Ссылка работает до 9 сентября, 00:02 и открывается "
        "без пароля, поэтому не пересылайте её. Новую пришлю по команде /dashboard."
    )
    got = await browser.get(await link(town))
    assert got.status_code == 200
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert "ВладАвтоматика: 1 июля – 8 сентября 2026" in got.text
    assert {"surveys.nps", "complaints", "referrals"} <= set(sections(got.text))
    assert "Ссылка на эту страницу работает до 9 сентября, 00:0" in got.text
    # The page is no place for what a client said, or who it was.
    assert not any(word in got.text for word in ("Иван", "монтаж", "914"))


@configured(PUBLIC)
async def test_nothing_of_the_page_comes_from_elsewhere_or_stays_behind(
    town: World, browser: httpx.AsyncClient
) -> None:
    url = await link(town)
    first, second = await browser.get(url), await browser.get(url)
    policy = first.headers["content-security-policy"]
    (nonce,) = re.findall(r"style-src 'nonce-([\w-]+)'", policy)
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert f'<style nonce="{nonce}">' in first.text
    assert nonce not in second.text
    assert "<script" not in first.text
    assert not re.search(r'(?:src|href)="(?!\?|#)', first.text)
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["referrer-policy"] == "no-referrer"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert "noindex" in first.headers["x-robots-tag"]


@configured(PUBLIC)
async def test_the_pictures_are_in_the_page(
    town: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "svgs", really_draw)
    await town.asked(price=100_000)
    await town.ivan_writes("9")
    got = await browser.get(await link(town))
    assert "<svg" in got.text
    assert got.text.count("<figure>") == got.text.count('<div class="picture">')


@configured(PUBLIC)
async def test_a_page_whose_pictures_fail_has_its_figures(
    town: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> Mapping[str, str]:
        raise PictureError("the picture could not be drawn: no memory")

    monkeypatch.setattr(dashboard, "svgs", fails)
    await town.asked(price=100_000)
    await town.ivan_writes("9")
    got = await browser.get(await link(town))
    assert got.status_code == 200
    assert "surveys.nps" in sections(got.text)


@configured({**PUBLIC, "reports": {"min_answers": 1}})
async def test_another_period_is_a_tap_away(town: World, browser: httpx.AsyncClient) -> None:
    await town.asked()
    await town.ivan_writes("10")
    await town.at(datetime(2026, 10, 5, 12, tzinfo=ZONE))
    page = (await browser.get(await link(town))).text
    assert chosen(page) == ["Этот квартал"]
    assert [one for one in choices(page) if one in (*PERIODS, "Этот квартал", "Этот год", "Прошлый год")] == [
        *(one.removeprefix("• ") for one in PERIODS), "Этот год", "Прошлый год",
    ]  # fmt: skip
    assert "NPS +100" not in page
    earlier = (await browser.get(choices(page)["Прошлый квартал"])).text
    assert chosen(earlier)[0] == "Прошлый квартал"
    assert "NPS +100" in earlier
    assert "июль – сентябрь 2026" in earlier or "III квартал 2026" in earlier or "3 квартал 2026" in earlier
    year = (await browser.get(choices(page)["Этот год"])).text
    assert chosen(year)[0] == "Этот год"
    assert "NPS +100" in year


@configured({**PUBLIC, "reports": {"min_answers": 1}})
async def test_one_manager_is_chosen_and_stays_chosen_in_other_periods(
    town: World, browser: httpx.AsyncClient
) -> None:
    await scored(town, "+79140000003", "Пётр", 10, responsible="Олег Смирнов")
    await scored(town, "+79140000004", "Яна", 2, responsible="Мария Ким")
    page = (await browser.get(await link(town))).text
    assert chosen(page) == ["Этот квартал", "Все менеджеры"]
    assert "NPS 0" in page
    olegs = (await browser.get(choices(page)["Олег Смирнов"])).text
    assert chosen(olegs) == ["Этот квартал", "Олег Смирнов"]
    assert '<p class="quiet">Олег Смирнов</p>' in olegs
    assert "NPS +100" in olegs
    month = (await browser.get(choices(olegs)["Этот месяц"])).text
    assert chosen(month) == ["Этот месяц", "Олег Смирнов"]
    assert "NPS +100" in month
    # Who has nothing there stays chosen: another's figures under no name would mislead.
    empty = (await browser.get(choices(olegs)["Прошлый год"])).text
    assert chosen(empty) == ["Прошлый год", "Олег Смирнов"]
    assert "NPS +100" not in empty


@configured({**PUBLIC, "staff": EVERYBODY, "survey": [NPS, CSAT], "reports": {"min_answers": 1}})
async def test_a_manager_sees_own_results_and_cannot_choose_others(
    town: World, browser: httpx.AsyncClient
) -> None:
    await opens(town, OLEG)
    await scored(town, "+79140000003", "Пётр", 10, responsible="Олег Смирнов", price=100_000)
    await scored(town, "+79140000004", "Яна", 2, responsible="Мария Ким")
    url = await link(town, "Олег")
    page = (await browser.get(url)).text
    assert chosen(page) == ["Этот квартал"]
    assert {key.split(".")[0] for key in sections(page)} <= {"surveys", "frt", "iqs"}
    assert "NPS +100" in page
    maria = town.amocrm.user_id("Мария Ким")
    assert (await browser.get(f"{url}&manager={maria}")).text.count("NPS +100") == page.count("NPS +100")
    assert "Мария" not in page


@configured({**PUBLIC, "staff": [{**HEAD, "managers": ["Мария Ким"]}, BOSS], "reports": {"min_answers": 1}})
async def test_a_head_sees_the_managers_that_are_followed(town: World, browser: httpx.AsyncClient) -> None:
    await scored(town, "+79140000003", "Пётр", 10, responsible="Олег Смирнов")
    await scored(town, "+79140000004", "Яна", 2, responsible="Мария Ким")
    url = await link(town)
    page = (await browser.get(url)).text
    assert "Только: Мария Ким" in page
    assert "NPS −100" in page
    oleg = town.amocrm.user_id("Олег Смирнов")
    other = (await browser.get(f"{url}&manager={oleg}")).text
    assert "NPS −100" in other
    assert "Олег" not in page + other


@configured(PUBLIC)
async def test_what_cannot_be_chosen_is_not_minded(town: World, browser: httpx.AsyncClient) -> None:
    token = (await link(town)).partition("&")[0]
    for query in (
        "&period=x",
        "&period=",
        "&manager=-1",
        "&manager=٣",
        "&manager=" + "9" * 40,
        "&format=pdf",
    ):
        got = await browser.get(f"{token}{query}")
        assert got.status_code == 200
        assert chosen(got.text)[0] == "Этот квартал"


@configured(PUBLIC)
async def test_the_sheet_is_one_tap_away(town: World, browser: httpx.AsyncClient) -> None:
    await town.asked(price=100_000)
    await town.ivan_writes("9")
    page = (await browser.get(await link(town))).text
    got = await browser.get(choices(page)["Скачать в Excel"])
    assert got.headers["content-disposition"] == 'attachment; filename="sarafan-2026-07-01-2026-09-08.xlsx"'
    assert got.headers["cache-control"] == "no-store"
    sheet = openpyxl.load_workbook(io.BytesIO(got.content))
    assert len(sheet.sheetnames) > 1


@configured(PUBLIC)
async def test_a_wrong_token_opens_nothing(town: World, browser: httpx.AsyncClient) -> None:
    for token in ("", "token=", "token=x", "token=68be0000." + "A" * 43, "token=%D0%AF"):
        got = await browser.get(f"/dashboard?{token}")
        assert got.status_code == 403
        assert EXPIRED in got.text
        assert "ВладАвтоматика" not in got.text
    rejected = 'sarafan_webhooks_rejected_total{channel="dashboard",reason="token"} 5.0'
    assert rejected in (await browser.get("/metrics")).text


@configured({"http": {"public_url": "https://sarafan.example.com", "dashboard_link": "2h"}})
async def test_a_link_expires_and_a_new_one_opens(town: World, browser: httpx.AsyncClient) -> None:
    url = await link(town)
    await town.later(hours=1, minutes=58)
    assert (await browser.get(url)).status_code == 200
    await town.later(minutes=3)
    got = await browser.get(url)
    assert (got.status_code, EXPIRED in got.text) == (403, True)
    assert (await browser.get(await link(town))).status_code == 200


@configured({**PUBLIC, "staff": [HEAD, BOSS]})
async def test_the_link_of_a_fired_colleague_opens_nothing(town: World) -> None:
    await opens(town, BOSS)
    url = await link(town, "Босс")
    await town.restart(staff=[HEAD])
    app = build_app(town.app.health, webhook_secret="", wake_pull=lambda: None, show=town.app.dashboard.show)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://sarafan") as client:
        got = await client.get(url)
    assert (got.status_code, EXPIRED in got.text) == (403, True)


@configured(PUBLIC)
async def test_a_stranger_and_a_client_get_no_link(town: World, browser: httpx.AsyncClient) -> None:
    await town.links(await town.asked())
    said = await sends(town, "/dashboard", "Иван")
    assert not any("dashboard" in str(post.buttons) for post in said)
    key = await state.secret(town.db, "dashboard")
    token = sign(
        key, f"telegram:{town.telegram.person('Иван').user_id}", town.clock.now() + timedelta(hours=1)
    )
    assert (await browser.get(f"/dashboard?token={token}")).status_code == 403


@configured(PUBLIC)
async def test_asked_for_in_a_group_it_comes_in_private(town: World) -> None:
    town.telegram.group("Продажи", chat_id=GROUP)
    town.app.hands.alerts = replace(town.app.hands.alerts, groups=(GROUP,))
    before = len(town.to_anna())
    assert await sends(town, "/dashboard", chat="Продажи") == []
    assert [text.split(":")[0] for text in town.to_anna()[before:]] == ["Всё на одной странице"]


async def test_without_an_address_of_ours_the_page_comes_as_a_file(town: World) -> None:
    await town.asked(price=100_000)
    await town.ivan_writes("9")
    said = await answer(town, "/dashboard")
    assert said.text == "Всё на одной странице: откройте файл в браузере. Данные на 8 сентября в 12:02."
    assert said.extra["document"]["file_name"] == "sarafan-2026-07-01-2026-09-08.html"
    html = town.telegram.files[ANNA, said.message_id].decode()
    assert "ВладАвтоматика: 1 июля – 8 сентября 2026" in html
    assert "surveys.nps" in sections(html)
    assert choices(html) == {}
    assert "Content-Security-Policy" in html


@configured({**MAX_BOT, "staff": [{"max_id": 777, "name": "Вера", "role": "owner"}]})
async def test_where_neither_link_nor_file_works_it_is_told_how(town: World) -> None:
    town.max.person("Вера", user_id=777)
    town.max.start("Вера")
    town.max.says("Вера", "/dashboard")
    await town.step(pulls=False)
    assert "http.public_url" in town.max.messages("Вера")[-1].text


@configured(PUBLIC)
async def test_within_a_minute_the_same_page_is_not_made_again(
    town: World, browser: httpx.AsyncClient, pictures: list[int]
) -> None:
    url = await link(town)
    for _ in range(3):
        await browser.get(url)
    assert len(pictures) == 1
    await browser.get(f"{url.partition('&')[0]}&period=m0")
    assert len(pictures) == 2
    town.clock.advance(timedelta(minutes=2))
    await browser.get(url)
    assert len(pictures) == 3


@configured(PUBLIC)
async def test_a_database_that_does_not_answer_is_told_and_not_shown(
    town: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await link(town)

    async def fails(*_: Any, **__: Any) -> None:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(dashboard, "document_for", fails)
    got = await browser.get(url)
    assert (got.status_code, got.headers["retry-after"]) == (503, "60")


@configured(PUBLIC)
async def test_before_amocrm_was_read_the_page_asks_for_patience(
    town: World, browser: httpx.AsyncClient
) -> None:
    url = await link(town)
    town.app.hands.account = None
    got = await browser.get(url)
    assert got.status_code == 503
    assert "Обновите страницу через минуту." in got.text
