"""/dashboard: the link in the bot, and the page behind it as a browser gets it."""

import asyncio
import io
import logging
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import httpx
import openpyxl
import pytest
from sqlmodel import col, delete, select

from integrations.standins.amocrm import AmoCrmStandIn
from storage import state
from storage.errors import Unavailable
from storage.tables.people import InvitedStaff
from storage.tables.queues import Outbox, OutboxState, State
from tests.flows.test_staff_commands import (
    BOSS,
    CSAT,
    EVERYBODY,
    HEAD,
    NPS,
    OLEG,
    PERIODS,
    VERA,
    answer,
    opens,
    sends,
)
from tests.world import ANNA, MAX_BOT, ZONE, World, configured, start
from worker.actions import dashboard
from worker.app import App
from worker.flows.act import LANES, act
from worker.flows.listen import listen
from worker.flows.receive import receive
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


def browsing(app: App) -> httpx.AsyncClient:
    web = build_app(app.health, webhook_secret="", wake_pull=lambda: None, show=app.dashboard.show)
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="https://sarafan")


@pytest.fixture
async def browser(town: World) -> AsyncIterator[httpx.AsyncClient]:
    async with browsing(town.app) as client:
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


FOLLOWS = {**HEAD, "pipelines": ["Продажи"], "managers": ["Мария Ким", "Олег Смирнов"]}


def two_pipelines(amocrm: AmoCrmStandIn) -> None:
    amocrm.add_pipeline("Сервис")
    amocrm.add_user("Анна Ли")


@configured({**PUBLIC, "staff": [FOLLOWS, BOSS], "reports": {"min_answers": 1}}, before=two_pipelines)
async def test_of_a_manager_a_head_sees_no_more_than_the_pipelines_that_are_followed(
    town: World, browser: httpx.AsyncClient
) -> None:
    await opens(town, BOSS)
    await scored(town, "+79140000003", "Пётр", 10, responsible="Мария Ким", price=100_000)
    await scored(town, "+79140000004", "Яна", 2, responsible="Мария Ким", pipeline="Сервис")
    await scored(town, "+79140000005", "Зоя", 10, responsible="Анна Ли", price=100_000)
    maria = f"&manager={town.amocrm.user_id('Мария Ким')}"
    # The page that the owner has just looked at is another one, though both have chosen Maria.
    assert "NPS 0" in (await browser.get(await link(town, "Босс") + maria)).text
    url = await link(town)
    assert "NPS +100" in (await browser.get(url + maria)).text
    page = (await browser.get(url)).text
    other = (await browser.get(f"{url}&manager={town.amocrm.user_id('Анна Ли')}")).text
    for one in (page, other):
        assert "Только: Продажи, Мария Ким, Олег Смирнов" in one
        assert "Анна Ли" not in one


STRANGE = "<img src=x onerror=alert(1)>\"'&lt;"


@configured({**PUBLIC, "company": {"name": STRANGE}, "staff": [{**HEAD, "name": STRANGE}]})
async def test_a_name_is_never_taken_for_a_part_of_the_page(town: World, browser: httpx.AsyncClient) -> None:
    users = town.app.hands.known.users or {}
    strange = {number: user.model_copy(update={"name": STRANGE}) for number, user in users.items()}
    town.app.hands.account = replace(town.app.hands.known, users=strange)
    await scored(town, "+79140000003", "Пётр", 10, responsible="Олег Смирнов", price=100_000)
    await scored(town, "+79140000004", "Яна", 2, responsible="Мария Ким", price=100_000)
    url = await link(town)
    for address in (url, f"{url}&manager={town.amocrm.user_id('Олег Смирнов')}"):
        page = (await browser.get(address)).text
        assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;lt;" in page
        assert "<img" not in page


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


@configured(PUBLIC)
async def test_a_wrong_token_changes_nothing(town: World, browser: httpx.AsyncClient) -> None:
    async def rows() -> list[Any]:
        async with town.db.reading() as tx:
            kept = (await tx.exec(select(State.key, State.value).order_by(col(State.key)))).all()
            return [*kept, *(await tx.exec(select(Outbox.key).order_by(col(Outbox.id)))).all()]

    before = await rows()
    await browser.get("/dashboard?token=68be0000." + "A" * 43)
    assert await rows() == before


@configured(PUBLIC)
async def test_nothing_but_reading_is_allowed(town: World, browser: httpx.AsyncClient) -> None:
    url = await link(town)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert (await browser.request(method, url)).status_code == 405
    assert (await browser.get(url.replace("/dashboard?", "/dashboard/?"))).status_code == 404
    assert (await browser.get(url.replace("?", "?token=x&"))).status_code == 200
    assert (await browser.get(f"{url}&token=x")).status_code == 403


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
    async with browsing(town.app) as browser:
        got = await browser.get(url)
    assert (got.status_code, EXPIRED in got.text) == (403, True)


@configured({**PUBLIC, "staff": [HEAD, BOSS], "reports": {"min_answers": 1}})
async def test_who_is_a_manager_now_sees_own_results_by_the_link_of_a_head(town: World) -> None:
    await opens(town, BOSS)
    await scored(town, "+79140000003", "Пётр", 10, responsible="Олег Смирнов", price=100_000)
    await scored(town, "+79140000004", "Яна", 2, responsible="Мария Ким")
    url = await link(town, "Босс")
    await town.restart(staff=[HEAD, {**OLEG, "telegram_id": BOSS["telegram_id"]}])
    async with browsing(town.app) as browser:
        page = (await browser.get(url)).text
    assert {key.split(".")[0] for key in sections(page)} <= {"surveys", "frt", "iqs"}
    assert ("NPS +100" in page, "Мария" in page) == (True, False)


async def signed(town: World, who: str) -> str:
    """A link for this place, as the bot would send it."""
    key = await state.secret(town.db, "dashboard")
    return f"/dashboard?token={sign(key, who, town.clock.now() + timedelta(hours=1))}"


@configured(PUBLIC)
async def test_who_was_invited_opens_it_at_once_and_who_was_removed_no_more(
    town: World, browser: httpx.AsyncClient
) -> None:
    """`sarafan staff` and other workers change the storage beside this one."""
    url = await signed(town, "telegram:777000777")
    assert (await browser.get(url)).status_code == 403
    now = town.clock.now()
    async with town.db.transaction() as tx:
        place: dict[str, Any] = {"channel": "telegram", "chat_id": "777000777", "joined_at": now}
        tx.add(
            InvitedStaff(token_hash="x", name="Нина", role="owner", created_at=now, expires_at=now, **place)
        )
    assert (await browser.get(url)).status_code == 200
    async with town.db.transaction() as tx:
        await tx.exec(delete(InvitedStaff))
    assert (await browser.get(url)).status_code == 403


@configured({**PUBLIC, **MAX_BOT, "staff": [{**HEAD, "max_id": 777}]})
async def test_who_is_met_in_both_messengers_opens_the_links_of_both(
    town: World, browser: httpx.AsyncClient
) -> None:
    town.max.start(town.max.person("Анна", user_id=777))
    town.max.says("Анна", "/dashboard")
    await town.step(pulls=False)
    [button] = town.max.messages("Анна")[-1].buttons
    in_max = button["url"].removeprefix("https://sarafan.example.com")
    in_telegram = await link(town)
    assert in_max.partition("&")[0] != in_telegram.partition("&")[0]
    for url in (in_max, in_telegram):
        assert (await browser.get(url)).status_code == 200


@configured(PUBLIC)
async def test_the_link_that_one_worker_sends_opens_at_another(town: World) -> None:
    url = await link(town)
    other = await start(
        town.db, town.folder, town.clock, town.amocrm, town.telegram, town.whatsapp, town.config
    )
    async with browsing(other) as browser:
        assert (await browser.get(url)).status_code == 200
    await other.close()


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


VERA_IN_MAX = {**MAX_BOT, "staff": [{"max_id": 777, "name": "Вера", "role": "owner"}]}


async def asks_in_max(town: World) -> Any:
    town.max.start(town.max.person("Вера", user_id=777))
    town.max.says("Вера", "/dashboard")
    await town.step(pulls=False)
    return town.max.messages("Вера")[-1]


@configured(VERA_IN_MAX)
async def test_in_max_the_page_comes_as_a_file_too(town: World) -> None:
    said = await asks_in_max(town)
    assert said.text == "Всё на одной странице: откройте файл в браузере. Данные на 7 сентября в 11:00."
    [file] = [town.max.files[token] for token in said.files]
    assert file.name == "sarafan-2026-07-01-2026-09-07.html"
    assert "ВладАвтоматика: 1 июля – 7 сентября 2026" in file.decode()


@configured(VERA_IN_MAX)
async def test_where_neither_link_nor_file_works_it_is_told_how(town: World) -> None:
    town.max.faults.add(
        "/uploads", times=0, status=403, json={"code": "access.denied", "message": "No rights"}
    )
    assert "http.public_url" in (await asks_in_max(town)).text


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
async def test_a_page_that_took_long_is_as_new_as_any(
    town: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await link(town)
    drawn: list[int] = []

    async def slowly(charts: Any, _: Any) -> Mapping[str, str]:
        drawn.append(len(charts))
        await asyncio.sleep(0.01)
        town.clock.advance(timedelta(minutes=3))
        return {}

    monkeypatch.setattr(dashboard, "svgs", slowly)
    await asyncio.gather(browser.get(url), browser.get(url))
    await browser.get(url)
    assert len(drawn) == 1


@configured(PUBLIC)
@pytest.mark.parametrize("what", ["know_staff", "document_for"])
async def test_a_database_that_does_not_answer_is_told_and_not_shown(
    town: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    url = await link(town)

    async def fails(*_: Any, **__: Any) -> None:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(dashboard, what, fails)
    got = await browser.get(url)
    assert (got.status_code, got.headers["retry-after"]) == (503, "60")
    assert "База данных сейчас не отвечает. Обновите страницу через минуту." in got.text


@configured(PUBLIC)
async def test_before_amocrm_was_read_the_page_asks_staff_for_patience(
    town: World, browser: httpx.AsyncClient
) -> None:
    url = await link(town)
    town.app.hands.account = None
    got = await browser.get(url)
    assert got.status_code == 503
    assert "Обновите страницу через минуту." in got.text
    stranger = await browser.get("/dashboard?token=x")
    assert (stranger.status_code, EXPIRED in stranger.text) == (403, True)


@configured({"staff": [HEAD, VERA]})
async def test_nobody_waits_for_the_page_of_another(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await opens(town, VERA)
    may_end = asyncio.Event()

    async def slowly(*_: Any) -> Mapping[str, str]:
        await may_end.wait()
        return {}

    monkeypatch.setattr(dashboard, "svgs", slowly)
    town.telegram.says("Анна", "/dashboard")
    town.telegram.says("Вера", "/nps")
    while await receive(town.app.hands, town.app.hands.channels["telegram"], town.app.inbox, timedelta(0)):
        pass
    await listen(town.app.hands)
    lanes = [asyncio.create_task(act(town.app.hands, lane)) for lane in LANES]
    _, waiting = await asyncio.wait(lanes, timeout=3)
    assert len(waiting) == 1
    assert "NPS" in town.in_telegram("Вера")[-1]
    assert not any("откройте файл" in text for text in town.to_anna())
    may_end.set()
    await asyncio.gather(*lanes)
    assert "откройте файл" in town.to_anna()[-1]


@configured({"http": {"public_url": "http://localhost:8080"}})
async def test_where_the_messenger_takes_no_such_address_the_page_comes_as_a_file(
    town: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        said = await answer(town, "/dashboard")
    assert said.extra["document"]["file_name"] == "sarafan-2026-07-01-2026-09-07.html"
    async with town.db.reading() as tx:
        rows = (await tx.exec(select(Outbox).where(col(Outbox.state) != OutboxState.DONE))).all()
    assert rows == []
    assert "token=" not in caplog.text
