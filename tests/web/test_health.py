"""How a person, a container engine and Prometheus learn how the worker is."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from storage.counts import RowCounts
from storage.errors import Unavailable
from tests.web.conftest import NOON, Office
from worker.web import health as health_module


async def series(browser: httpx.AsyncClient) -> dict[str, float]:
    """Every series of /metrics as `name{label="value"}`, read by Prometheus' own parser."""
    answer = await browser.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


async def test_it_is_alive_before_the_first_tick_and_while_the_scheduler_ticks(
    office: Office, browser: httpx.AsyncClient
) -> None:
    assert (await browser.get("/healthz")).status_code == 200
    office.health.tick()
    office.seconds += 29
    assert (await browser.get("/healthz")).status_code == 200


async def test_it_is_not_alive_when_the_scheduler_stands_still(
    office: Office, browser: httpx.AsyncClient
) -> None:
    office.health.tick()
    office.seconds += 31
    assert (await browser.get("/healthz")).status_code == 503
    office.health.tick()
    assert (await browser.get("/healthz")).status_code == 200


async def test_it_is_alive_while_nothing_works(office: Office, browser: httpx.AsyncClient) -> None:
    office.broken = Unavailable("disk full")
    office.health.set_token("amocrm", is_valid=False)
    assert (await browser.get("/healthz")).status_code == 200


async def test_it_is_ready_once_every_flow_has_succeeded(office: Office, browser: httpx.AsyncClient) -> None:
    before = await browser.get("/readyz")
    assert before.status_code == 503
    assert before.json() == [f"{flow}: has not succeeded yet" for flow in ("pull", "send", "listen")]
    office.all_flows_succeed()
    after = await browser.get("/readyz")
    assert (after.status_code, after.json()) == (200, [])


async def test_a_flow_that_readiness_does_not_ask_for_delays_nothing(
    office: Office, browser: httpx.AsyncClient
) -> None:
    office.all_flows_succeed()
    office.health.mark("act", NOON)
    office.seconds += 100
    assert (await browser.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("seconds", "reasons"),
    [
        (120, []),  # on the limit of the two fast ones
        (
            121,
            ["send: last success 2 min ago (limit 2 min)", "listen: last success 2 min ago (limit 2 min)"],
        ),
        (
            7_200,
            [
                "pull: last success 2 h ago (limit 15 min)",
                "send: last success 2 h ago (limit 2 min)",
                "listen: last success 2 h ago (limit 2 min)",
            ],
        ),
    ],
)
async def test_a_last_success_too_long_ago_is_told_with_its_limit(
    office: Office, seconds: float, reasons: list[str]
) -> None:
    office.all_flows_succeed()
    office.seconds += seconds
    assert await office.health.reasons() == reasons


async def test_a_refused_token_and_an_open_circuit_are_told_until_they_are_over(office: Office) -> None:
    office.all_flows_succeed()
    office.health.set_token("amocrm", is_valid=False)
    office.health.set_circuit("whatsapp", is_open=True)
    assert await office.health.reasons() == [
        "amocrm: the token is refused",
        "whatsapp: too many failures, requests pause",
    ]
    office.health.set_token("amocrm", is_valid=True)
    office.health.set_circuit("whatsapp", is_open=False)
    assert await office.health.reasons() == []


async def test_the_last_error_stands_beside_a_reason_and_is_none_by_itself(office: Office) -> None:
    office.all_flows_succeed()
    office.health.set_error("amocrm", "failed (502)")
    assert await office.health.reasons() == []
    office.seconds += 901
    assert (await office.health.reasons())[-1] == "amocrm: last error: failed (502)"
    office.health.count_request("amocrm", 200)
    assert "amocrm: last error: failed (502)" not in await office.health.reasons()


async def test_a_failed_request_does_not_take_the_last_error_back(office: Office) -> None:
    office.health.set_error("amocrm", "failed (502)")
    office.health.count_request("amocrm", 502)
    office.health.count_request("amocrm", "timeout")
    assert "amocrm: last error: failed (502)" in await office.health.reasons()


async def test_any_other_trouble_is_told_until_it_is_over(office: Office) -> None:
    office.all_flows_succeed()
    office.health.set_trouble("disk", "full, replies cannot be stored")
    assert await office.health.reasons() == ["disk: full, replies cannot be stored"]
    office.health.set_trouble("disk", "")
    office.health.set_trouble("clock", "")
    assert await office.health.reasons() == []


async def test_a_database_that_fails_is_told_in_its_own_sentence(
    office: Office, browser: httpx.AsyncClient
) -> None:
    office.all_flows_succeed()
    office.broken = Unavailable("The database cannot be used now: disk I/O error")
    answer = await browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == ["database: The database cannot be used now: disk I/O error"]
    office.broken = None
    assert (await browser.get("/readyz")).status_code == 200


async def test_a_database_that_hangs_is_asked_once_however_many_probes_come(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_module, "DATABASE_LIMIT", timedelta(milliseconds=10))
    office.all_flows_succeed()
    office.answers = asyncio.Event()
    for _ in range(3):
        assert (await office.health.reasons())[0].startswith("database: does not answer within")
    assert office.pings == 1
    office.answers.set()
    assert await office.health.reasons() == []


async def test_metrics_have_every_series_of_the_contract(office: Office, browser: httpx.AsyncClient) -> None:
    office.rows = RowCounts(
        surveys={("nps", "planned"): 3, ("nps", "answered"): 61},
        inbox={("new",): 1},
        outbox={("thank_client", "waiting"): 2},
        oldest={("outbox",): 12.5},
    )
    health = office.health
    health.mark("pull", NOON)
    health.set_circuit("amocrm", is_open=False)
    health.set_token("amocrm", is_valid=True)
    health.count_message("telegram", "out", "sent")
    health.count_message("telegram", "out", "sent")
    health.count_request("amocrm", 200)
    health.count_rejected("amocrm", "secret")
    expected = {
        'sarafan_surveys{state="planned",survey="nps"}': 3,
        'sarafan_surveys{state="answered",survey="nps"}': 61,
        'sarafan_inbox_rows{state="new"}': 1,
        'sarafan_outbox_rows{kind="thank_client",state="waiting"}': 2,
        'sarafan_oldest_seconds{queue="outbox"}': 12.5,
        'sarafan_messages_total{channel="telegram",direction="out",outcome="sent"}': 2,
        'sarafan_requests_total{service="amocrm",status="200"}': 1,
        'sarafan_circuit_open{service="amocrm"}': 0,
        'sarafan_token_valid{service="amocrm"}': 1,
        'sarafan_webhooks_rejected_total{channel="amocrm",reason="secret"}': 1,
        'sarafan_last_success_timestamp_seconds{flow="pull"}': NOON.timestamp(),
    }
    found = await series(browser)
    assert {name: found.get(name) for name in expected} == expected


async def test_a_state_without_rows_has_no_series_any_more(
    office: Office, browser: httpx.AsyncClient
) -> None:
    office.rows = RowCounts(inbox={("new",): 1})
    assert 'sarafan_inbox_rows{state="new"}' in await series(browser)
    office.rows = RowCounts(inbox={("read",): 1})
    found = await series(browser)
    assert 'sarafan_inbox_rows{state="new"}' not in found
    assert found['sarafan_inbox_rows{state="read"}'] == 1


async def test_metrics_are_told_while_the_database_is_down(
    office: Office, browser: httpx.AsyncClient
) -> None:
    office.health.count_request("amocrm", 503)
    office.broken = Unavailable("down")
    found = await series(browser)
    assert found['sarafan_requests_total{service="amocrm",status="503"}'] == 1
    assert not [name for name in found if name.startswith("sarafan_surveys")]


async def test_two_workers_in_one_process_count_apart(office: Office) -> None:
    office.health.count_request("amocrm", 200)
    neighbour = Office()
    async with neighbour.browser() as browser:
        assert 'sarafan_requests_total{service="amocrm",status="200"}' not in await series(browser)
