"""Telegram posts what clients say: the worker dies over it, gets it ten times, gets it from somebody else."""

import json
import signal
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.faults.laws import Laws
from tests.faults.points import KILLED
from tests.faults.test_killed_in_talk import asked_in_telegram
from tests.stories.company import NO_TLS, PATIENCE, Company, until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

PATH_SECRET = "quiet-path-of-the-gates"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
# Seconds from the moment that the whole update has left for the worker to its death.
WHILE_IT_STORES = (0.0, 0.002, 0.005, 0.02)


@dataclass
class Courier:
    """Telegram's side of a webhook: it brings what waits until that is acknowledged."""

    shop: Company

    @property
    def hook(self) -> dict[str, str]:
        return dict(self.shop.telegram.do("webhook"))

    def waiting(self) -> Sequence[dict[str, Any]]:
        return list(self.shop.telegram.do("waiting"))

    def post(self, update: object, secret: str | None = None, url: str = "") -> int:
        """The status, or 0 when nobody answers."""
        headers = {} if secret == "" else {HEADER: secret or self.hook["secret"]}
        content = update if isinstance(update, bytes) else json.dumps(update).encode()
        try:
            answer = httpx.post(
                url or self.hook["url"], content=content, headers=headers, trust_env=False, verify=NO_TLS
            )
        except httpx.TransportError:
            return 0
        return answer.status_code

    def deliver(self) -> None:
        """All that waits, each until it is acknowledged, and that only once."""
        for update in self.waiting():
            until(lambda: self.post(update) == 200, "a 2xx")  # noqa: B023
            self.shop.telegram.do("delivered", update_id=update["update_id"])

    def leaves_in_its_hands(self, update: object, seconds: float) -> None:
        """The whole update is on its way when the worker dies; nobody waits for the answer."""
        url = httpx.URL(self.hook["url"])
        body = json.dumps(update).encode()
        head = (
            f"POST {url.path} HTTP/1.1\r\nHost: {url.host}\r\n{HEADER}: {self.hook['secret']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((url.host, url.port)) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(seconds)
            dies(self.shop)


def dies(shop: Company) -> None:
    assert shop.worker is not None
    shop.worker.send_signal(signal.SIGKILL)
    assert shop.exit_code() == KILLED


@pytest.fixture
def courier(laws: Laws) -> Courier:
    shop = laws.shop
    shop.private.add(PATH_SECRET)
    shop.start(
        telegram={"mode": "webhook"},
        http={"public_url": f"http://{shop.config['http']['listen']}", "webhook_secret": PATH_SECRET},
    )
    made = Courier(shop)
    shop.private.add(until(lambda: made.hook["secret"], "an address that is registered"))
    shop.wait_until_ready()
    return made


def asked(laws: Laws, courier: Courier) -> int:
    """As in `asked_in_telegram`, with what the client does brought by the courier."""
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(asked_in_telegram, laws)
        while not asking.done():
            courier.deliver()
            time.sleep(0.05)
        return asking.result()


def test_killed_at_a_webhook_it_stores_what_it_acknowledged_and_gets_the_rest_again(
    laws: Laws, courier: Courier
) -> None:
    shop = laws.shop
    for score, seconds in enumerate(WHILE_IT_STORES, start=1):
        deal = asked(laws, courier)
        laws.taps(deal, score)
        [update] = courier.waiting()
        courier.leaves_in_its_hands(update, seconds)
        shop.start()
        courier.deliver()  # Nobody acknowledged it, so it comes again.
        until(lambda: shop.score(deal) == score, "the score")  # noqa: B023
    deal = asked(laws, courier)
    laws.taps(deal, 9)
    [update] = courier.waiting()
    assert courier.post(update) == 200
    dies(shop)  # Right after it was acknowledged, and so it does not come again.
    shop.telegram.do("delivered", update_id=update["update_id"])
    shop.start()
    until(lambda: shop.score(deal) == 9, "the score")
    laws.hold(kills=len(WHILE_IT_STORES) + 1, uncertain=0)


def test_a_webhook_ten_times_at_once_and_by_a_poll_is_one_answer(laws: Laws, courier: Courier) -> None:
    shop, deal = laws.shop, asked(laws, courier)
    laws.taps(deal, 3)
    [update] = courier.waiting()
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(courier.post, [update] * 10)) == {200}
    until(lambda: shop.score(deal) == 3, "the score")
    shop.wait_until_idle()
    said = [message["text"] for message in shop.bot_wrote(laws.clients[deal].name)]
    # The answers were lost on the way: whoever polls now gets it once more.
    shop.stop()
    api = shop.telegram.url
    httpx.post(f"{api}/bot{shop.bot_token}/deleteWebhook", trust_env=False, verify=NO_TLS).raise_for_status()
    shop.start(telegram={"mode": "polling"})
    until(lambda: not courier.waiting(), "an empty queue")
    laws.hold(uncertain=0)
    assert [message["text"] for message in shop.bot_wrote(laws.clients[deal].name)] == said


def test_a_forged_webhook_changes_nothing_and_an_unreadable_one_is_put_aside(
    laws: Laws, courier: Courier
) -> None:
    shop, deal = laws.shop, asked(laws, courier)
    laws.taps(deal, 9)
    [update] = courier.waiting()
    url = courier.hook["url"]
    forged = [
        courier.post(update, secret="wrong"),
        courier.post(update, secret=""),
        courier.post(update, secret=PATH_SECRET),
        courier.post(update, url=url.replace(PATH_SECRET, "guess")),
        courier.post(update, url=url.replace("telegram", "whatsapp")),
    ]
    assert forged == [403, 403, 403, 404, 404]
    assert shop.metric("sarafan_webhooks_rejected_total") == len(forged)
    assert shop.score(deal) is None
    assert courier.post(b"<html>\xff not an update") == 200
    courier.deliver()
    until(lambda: shop.score(deal) == 9, "the score")
    until(lambda: len(aside(shop)) == 1, "what is put aside", PATIENCE)
    laws.hold(uncertain=0)


def aside(shop: Company) -> list[Any]:
    done = shop.sarafan("inbox", "--json")
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
