"""Somebody knocks at a webhook. Who gets in, and what changes?"""

import httpx
import pytest

from tests.web.conftest import SECRET, Office
from worker.web.webhooks import BODY_LIMIT, is_secret

FORM = {"leads[status][0][id]": "501", "leads[status][0][status_id]": "142"}


def rejected(office: Office, channel: str, reason: str) -> float | None:
    return office.health.registry.get_sample_value(
        "sarafan_webhooks_rejected_total", {"channel": channel, "reason": reason}
    )


@pytest.mark.parametrize("end", ["", "/"])
async def test_amocrm_wakes_the_pull(office: Office, browser: httpx.AsyncClient, end: str) -> None:
    answer = await browser.post(f"/webhooks/amocrm/{SECRET}{end}", data=FORM)
    assert (answer.status_code, office.woken) == (200, 1)


@pytest.mark.parametrize("body", [b"", b"\x00\xff not a form", b"x" * BODY_LIMIT])
async def test_what_the_body_says_does_not_matter(
    office: Office, browser: httpx.AsyncClient, body: bytes
) -> None:
    answer = await browser.post(f"/webhooks/amocrm/{SECRET}", content=body)
    assert (answer.status_code, office.woken) == (200, 1)


@pytest.mark.parametrize(
    "guess", ["wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "пароль", "%00", "%ff"]
)
async def test_a_wrong_secret_is_not_found_and_counted(
    office: Office, browser: httpx.AsyncClient, guess: str
) -> None:
    answer = await browser.post(f"/webhooks/amocrm/{guess}", data=FORM)
    assert (answer.status_code, office.woken) == (404, 0)
    assert rejected(office, "amocrm", "secret") == 1


@pytest.mark.parametrize("guess", ["anything", "None", SECRET])
async def test_without_a_configured_secret_there_is_no_webhook(office: Office, guess: str) -> None:
    async with office.browser(secret="") as browser:
        answer = await browser.post(f"/webhooks/amocrm/{guess}", data=FORM)
    assert (answer.status_code, office.woken) == (404, 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/webhooks/telegram/{SECRET}"),
        ("POST", f"/webhooks/whatsapp/{SECRET}"),
        ("GET", f"/webhooks/whatsapp/{SECRET}"),
        ("GET", f"/webhooks/amocrm/{SECRET}"),
        ("PUT", f"/webhooks/amocrm/{SECRET}"),
        ("POST", f"/webhooks/amocrm/{SECRET}/more"),
        ("POST", "/webhooks/amocrm/"),
        ("POST", "/webhooks/amocrm"),
        ("POST", "/webhooks"),
        ("GET", "/"),
        ("GET", "/dashboard"),
        ("GET", "/healthz/"),
    ],
)
async def test_every_other_path_is_not_found(
    office: Office, browser: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await browser.request(method, path)
    assert (answer.status_code, office.woken) == (404, 0)


async def test_a_body_too_large_is_refused_and_wakes_nobody(
    office: Office, browser: httpx.AsyncClient
) -> None:
    answer = await browser.post(f"/webhooks/amocrm/{SECRET}", content=b"x" * (BODY_LIMIT + 1))
    assert (answer.status_code, office.woken) == (413, 0)
    assert rejected(office, "amocrm", "too_large") == 1


def test_an_empty_secret_fits_nothing() -> None:
    assert not is_secret("", "")
    assert is_secret(SECRET, SECRET)
