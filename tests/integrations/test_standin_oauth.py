"""The OAuth side of the amoCRM stand-in: codes and refresh tokens work once, and pairs rotate."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from integrations.standins.amocrm import AmoCrmStandIn
from integrations.standins.amocrm_oauth import PATH


class Client:
    """Another program with the keys of the integration."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 16, 10, tzinfo=UTC)
        self.server = AmoCrmStandIn(lambda: self.now, rate_limit=None)
        self.http = httpx.AsyncClient(
            base_url="https://example.amocrm.ru", transport=httpx.ASGITransport(app=self.server.app)
        )

    def body(self, **grant: str) -> dict[str, str]:
        integration = self.server.integration
        keys = {
            "client_id": integration.client_id,
            "client_secret": integration.client_secret,
            "redirect_uri": integration.redirect_uri,
        }
        return {**keys, **grant}

    async def ask(self, **grant: str) -> httpx.Response:
        return await self.http.post(PATH, json=self.body(**grant))

    async def code(self, code: str) -> httpx.Response:
        return await self.ask(grant_type="authorization_code", code=code)

    async def refresh(self, token: str) -> httpx.Response:
        return await self.ask(grant_type="refresh_token", refresh_token=token)

    async def pair(self) -> dict[str, Any]:
        answer = await self.code(self.server.integration.issue_code())
        pair: dict[str, Any] = answer.json()
        return pair

    async def opens(self, access: str) -> bool:
        answer = await self.http.get("/api/v4/account", headers={"Authorization": f"Bearer {access}"})
        return answer.status_code == 200


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    async with client.http:
        yield client


async def test_a_code_gives_a_pair_that_opens_the_account(client: Client) -> None:
    pair = await client.pair()
    assert {"token_type", "expires_in", "access_token", "refresh_token"} <= pair.keys()
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 86_400)
    assert await client.opens(pair["access_token"])
    client.now += timedelta(days=1)
    assert not await client.opens(pair["access_token"])


async def test_a_code_works_once_and_for_twenty_minutes(client: Client) -> None:
    code, late = client.server.integration.issue_code(), client.server.integration.issue_code()
    assert (await client.code(code)).status_code == 200
    assert (await client.code(code)).status_code == 401
    client.now += timedelta(minutes=20)
    assert (await client.code(late)).status_code == 401


async def test_a_refresh_rotates_both_tokens_and_kills_the_old_one(client: Client) -> None:
    first = await client.pair()
    second = (await client.refresh(first["refresh_token"])).json()
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    again = await client.refresh(first["refresh_token"])
    assert again.status_code == 401
    assert again.headers["content-type"] == "application/problem+json"
    assert again.json()["hint"] == "Token has been revoked"
    assert (await client.refresh(second["refresh_token"])).status_code == 200


async def test_a_refresh_token_ends_after_three_months(client: Client) -> None:
    pair = await client.pair()
    client.now += timedelta(days=91)
    assert (await client.refresh(pair["refresh_token"])).json()["hint"] == "Token has been revoked"


@pytest.mark.parametrize("keeps", [True, False])
async def test_whether_the_old_access_token_lives_on_is_a_switch(client: Client, keeps: bool) -> None:
    client.server.integration.keeps_old_access = keeps
    pair = await client.pair()
    await client.refresh(pair["refresh_token"])
    assert await client.opens(pair["access_token"]) is keeps


async def test_wrong_keys_have_a_body_of_their_own_and_use_up_nothing(client: Client) -> None:
    code = client.server.integration.issue_code()
    answer = await client.ask(grant_type="authorization_code", code=code, client_secret="another")
    assert (answer.status_code, answer.json()["title"]) == (401, "Некорректный клиент")
    assert "hint" not in answer.json()
    assert (await client.code(code)).status_code == 200


async def test_another_redirect_uri_is_refused(client: Client) -> None:
    code = client.server.integration.issue_code()
    other = await client.ask(
        grant_type="authorization_code", code=code, redirect_uri="https://app.example/cb/"
    )
    assert other.status_code == 401


async def test_a_form_is_taken_too(client: Client) -> None:
    code = client.server.integration.issue_code()
    form = client.body(grant_type="authorization_code", code=code)
    assert (await client.http.post(PATH, data=form)).status_code == 200


async def test_a_person_may_take_the_access_back(client: Client) -> None:
    pair = await client.pair()
    client.server.integration.revoke()
    assert not await client.opens(pair["access_token"])
    assert (await client.refresh(pair["refresh_token"])).status_code == 401


async def test_a_block_holds_for_the_token_endpoint_too(client: Client) -> None:
    client.server.is_blocked = True
    answer = await client.refresh("any")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (403, "text/html")


async def test_an_access_token_can_be_over_before_its_day(client: Client) -> None:
    pair = await client.pair()
    client.server.integration.expire_access()
    assert not await client.opens(pair["access_token"])
    again = (await client.refresh(pair["refresh_token"])).json()
    assert await client.opens(again["access_token"])
