"""Meta posts to the address it was given: nothing without its signature, nothing lost behind a 2xx."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from integrations.channels.base import GatewaySettings
from integrations.channels.greenapi import GreenApi
from integrations.standins.cloud import CloudStandIn
from integrations.standins.cloud_json import posted
from storage import inbox
from storage.database import Database
from storage.errors import Unavailable
from storage.inbox import InboxWriter
from tests.integrations.clock import Clock
from tests.integrations.cloud_world import cloud
from tests.web.conftest import NOON, SECRET, Office
from tests.web.test_hooks import browser_of
from tests.web.test_webhooks import rejected
from worker.web.webhooks import Hooks

Browser = httpx.AsyncClient
ADDRESS = f"/webhooks/whatsapp/{SECRET}"
MARIA = "+79140000001"


@pytest.fixture
def meta() -> CloudStandIn:
    return CloudStandIn(Clock())


@pytest.fixture
async def hooks(meta: CloudStandIn, db: Database) -> AsyncIterator[Hooks]:
    """Beside Meta's number there is another gateway at the same place."""
    writer, whatsapp = InboxWriter(db), cloud(meta)
    account = GreenApi(
        "max_account", GatewaySettings(provider="greenapi", instance_id="1", receive="webhook")
    )
    yield Hooks(
        {"max_account": account, "whatsapp": whatsapp},
        lambda name, updates: writer.put(name, updates, NOON),
    )
    await writer.close()
    await whatsapp.close()
    await account.close()


@pytest.fixture
async def browser(office: Office, hooks: Hooks) -> AsyncIterator[Browser]:
    async with browser_of(office, hooks) as client:
        yield client


async def post(browser: Browser, webhook: dict[str, Any], **headers: str) -> int:
    answer = await browser.post(
        ADDRESS, content=webhook["body"].encode(), headers={**webhook["headers"], **headers}
    )
    return answer.status_code


async def kept(db: Database) -> list[tuple[str, str, str]]:
    return [(row.channel, row.external_id, row.kind) for row in await inbox.unread(db)]


async def test_each_message_of_a_post_is_kept_by_itself_and_only_once(
    meta: CloudStandIn, browser: Browser, db: Database
) -> None:
    ids = [meta.says(MARIA, text) for text in ("9", "спасибо 👍")]
    (webhook,) = meta.waiting(together=True)
    assert [await post(browser, webhook) for _ in range(3)] == [200, 200, 200]
    assert await kept(db) == [("whatsapp", wamid, "messages") for wamid in ids]


async def test_without_metas_signature_nothing_is_kept(
    meta: CloudStandIn, office: Office, browser: Browser, db: Database
) -> None:
    meta.says(MARIA, "9")
    (webhook,) = meta.waiting()
    assert await post(browser, webhook, **{"X-Hub-Signature-256": "sha256=" + "0" * 64}) == 403
    assert await kept(db) == []
    assert rejected(office, "whatsapp", "signature") == 1


async def test_what_meta_signed_but_nobody_understands_is_put_aside(
    meta: CloudStandIn, browser: Browser, db: Database
) -> None:
    body, headers = posted({"object": "whatsapp_business_account"}, meta.app_secret)
    assert await post(browser, {"body": body, "headers": headers}) == 200
    [(channel, _, kind)] = await kept(db)
    assert (channel, kind) == ("whatsapp", "unreadable")


async def test_another_number_of_the_app_is_taken_and_not_kept(
    meta: CloudStandIn, browser: Browser, db: Database
) -> None:
    meta.phone_number_id = "42"
    meta.says(MARIA, "9")
    (webhook,) = meta.waiting()
    assert await post(browser, webhook) == 200
    assert await kept(db) == []


async def test_metas_verification_is_answered_with_the_bare_challenge(
    meta: CloudStandIn, office: Office, browser: Browser
) -> None:
    answer = await browser.get(ADDRESS, params=meta.greeting())
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    meta.verify_token = "guess"
    assert (await browser.get(ADDRESS, params=meta.greeting())).status_code == 403
    assert rejected(office, "whatsapp", "verify_token") == 1


async def test_meta_is_told_to_come_again_while_nothing_can_be_kept(
    meta: CloudStandIn, office: Office, hooks: Hooks, db: Database
) -> None:
    async def full(_: str, __: object) -> None:
        raise Unavailable("the disk is full")

    meta.says(MARIA, "9")
    (webhook,) = meta.waiting()
    async with browser_of(office, Hooks(hooks.channels, full)) as browser:
        assert await post(browser, webhook) == 503
    async with browser_of(office, hooks) as browser:
        assert await post(browser, webhook) == 200
    assert len(await kept(db)) == 1
