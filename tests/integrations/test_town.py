"""The whole town over real HTTP, in this process and as a program of its own."""

import asyncio
import signal
import socket
import sys
import tomllib
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from integrations.amocrm.client import AmoCrm
from integrations.channels.base import BotSettings, Button, GatewaySettings, IncomingKind, Outgoing
from integrations.channels.greenapi import GreenApi
from integrations.channels.registry import open_channel
from integrations.channels.telegram import Telegram
from integrations.errors import Temporary, Uncertain
from integrations.standins.town import HEAD_ID, Addresses, Town
from tests.integrations.clock import Clock
from tests.integrations.telegram_schema import assert_calls_fit
from worker.config.load import load

ROOT = Path(__file__).parents[2]
ASK = Outgoing(text="Оцените", buttons=((Button("9", "s:1:9"),),), poll=("8", "9"))


def bot(town: Town, at: Addresses) -> Telegram:
    return Telegram(BotSettings(token=town.telegram.token, api_url=at.telegram))


def gateway(town: Town, at: Addresses) -> GreenApi:
    server = town.whatsapp
    settings = GatewaySettings(base_url=at.whatsapp, instance_id=server.instance_id, api_token=server.token)
    return GreenApi("whatsapp", settings)


async def test_all_three_answer_over_http_on_one_clock() -> None:
    clock = Clock()
    town = Town(clock)
    async with town.served() as at:
        amocrm, telegram, whatsapp = AmoCrm(at.amocrm, town.amocrm.token), bot(town, at), gateway(town, at)
        assert (await amocrm.account()).name == "ВладАвтоматика"
        assert (await amocrm.account()).server_time == clock.now
        assert await telegram.deep_link("abc") == "https://t.me/sarafan_demo_bot?start=abc"
        await telegram.send(str(HEAD_ID), ASK)  # the head has opened the bot already
        await whatsapp.start()
        await whatsapp.send("79140000001@c.us", ASK)
        assert town.telegram.last(HEAD_ID).at == town.whatsapp.last("+79140000001").accepted_at == clock.now
        for service in (amocrm, telegram, whatsapp):
            await service.close()
    assert_calls_fit(town.telegram.requests)


async def test_a_company_with_more_messengers_gets_a_config_for_all_of_them(tmp_path: Path) -> None:
    town = Town(Clock(), more=("telegram_account", "max", "max_account"))
    async with town.served() as at:
        config = tmp_path / "config.toml"
        config.write_text(town.config(at), encoding="utf-8")
        told = load(config, {})
        assert told.channels == ("telegram", "max", "max_account", "telegram_account", "whatsapp")
        accounts = {"telegram_account": told.telegram_account, "max_account": told.max_account}
        assert {name: account.base_url for name, account in accounts.items()} | {
            "max": told.max.api_url
        } == at.more
        opened = [open_channel("max", told.max), *(open_channel(*account) for account in accounts.items())]
        for channel in opened:
            await channel.start()
            await channel.close()


async def test_a_waiting_poll_gets_what_comes_and_does_not_hold_up_the_end() -> None:
    town = Town(Clock())
    async with town.served() as at:
        telegram, whatsapp = bot(town, at), gateway(town, at)
        await whatsapp.start()
        polls = [
            asyncio.create_task(channel.poll("", timedelta(seconds=15))) for channel in (telegram, whatsapp)
        ]
        await asyncio.sleep(0.1)
        town.telegram.start("Мария", "abc")
        town.whatsapp.says("+79140000001", "9")
        first, second = await asyncio.gather(*polls)
        assert telegram.read(first.updates[0].body)[0].token == "abc"
        assert whatsapp.read(second.updates[0].body)[0].text == "9"
        await whatsapp.confirm(second)
        ends = asyncio.get_running_loop().time()
        last = [
            asyncio.create_task(telegram.poll(first.offset, timedelta(seconds=15))),
            asyncio.create_task(whatsapp.poll("", timedelta(seconds=15))),
        ]
        await asyncio.sleep(0.1)
    answers = await asyncio.gather(*last, return_exceptions=True)
    assert asyncio.get_running_loop().time() - ends < 5
    assert all(isinstance(answer, Temporary) or not getattr(answer, "updates", ()) for answer in answers)
    await telegram.close()
    await whatsapp.close()


async def test_connections_break_for_real() -> None:
    town = Town(Clock())
    async with town.served() as at:
        telegram, whatsapp = bot(town, at), gateway(town, at)
        town.telegram.faults.add("sendMessage", drop=True, after=True)
        town.whatsapp.faults.add("sendPoll", drop=True, after=True)
        with pytest.raises(Uncertain):
            await telegram.send(str(HEAD_ID), ASK)
        with pytest.raises(Uncertain):
            await whatsapp.send("79140000001@c.us", ASK)
        assert len(town.telegram.messages(HEAD_ID)) == len(town.whatsapp.messages()) == 1
        await telegram.send(str(HEAD_ID), ASK)  # the next connection is a new one
        await telegram.close()
        await whatsapp.close()
    assert_calls_fit(town.telegram.requests)


async def test_inside_the_process_the_same_without_a_server() -> None:
    town = Town(Clock(), rate_limit=None)
    amocrm = AmoCrm("http://amocrm.test", town.amocrm.token, transport=town.amocrm_transport())
    telegram = Telegram(BotSettings(token=town.telegram.token), transport=town.telegram_transport())
    assert (await amocrm.account()).id == 1000
    await telegram.send(str(HEAD_ID), ASK)
    town.telegram.tap(HEAD_ID, "9")
    (update,) = (await telegram.poll("", timedelta(0))).updates
    assert telegram.read(update.body)[0].kind is IncomingKind.TAP
    await amocrm.close()
    await telegram.close()


async def test_ports_in_a_row() -> None:
    town, base = Town(Clock()), _three_free_ports()
    async with town.served(base) as at:
        ports = [httpx.URL(address).port for address in (at.amocrm, at.telegram, at.whatsapp)]
        assert ports == [base, base + 1, base + 2]


def _three_free_ports() -> int:
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            base: int = first.getsockname()[1]
            try:
                for port in (base + 1, base + 2):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            return base


async def test_the_program_prints_a_config_that_fits_and_serves_until_it_is_stopped(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "integrations.standins", "--filters", "off", "--config", str(config),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    printed = ""
    while not printed.endswith("# ready\n"):
        line = await program.stdout.readline()
        assert line, await program.communicate()
        printed += line.decode()
    settings = tomllib.loads(printed)
    assert settings == tomllib.loads(config.read_text(encoding="utf-8"))
    await _close_a_deal_from_outside(settings["amocrm"]["base_url"], settings["amocrm"]["token"])
    program.send_signal(signal.SIGTERM)
    _, errors = await program.communicate()
    assert (program.returncode, errors) == (0, b"")
    loaded = load(config, {})
    assert loaded.amocrm.base_url == settings["amocrm"]["base_url"]


async def _close_a_deal_from_outside(address: str, token: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        contact = {"name": "Мария", "phones": ["+79140000001"]}
        contact_id = (await client.post("/_control/add_contact", json=contact)).json()
        lead = {"name": "Ворота", "contacts": [contact_id]}
        lead_id = (await client.post("/_control/add_lead", json=lead)).json()
        closed = await client.post("/_control/close_lead", json={"lead_id": lead_id})
        assert closed.status_code == 200
    amocrm = AmoCrm(address, token)
    found = await amocrm.lead(lead_id)
    assert found is not None
    assert (found.status_id, found.main_contact_id) == (142, contact_id)
    await amocrm.close()
