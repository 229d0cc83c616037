"""`sarafan run` is told to stop while somebody waits for the dashboard."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from tests.postgres import POSTGRES_URL
from tests.stories.company import ANNA, Company, until


@contextmanager
def locked(url: str) -> Iterator[None]:
    """The database answers no question about deals and surveys."""
    about = make_url(url)
    options = str(about.query["options"])
    with psycopg.connect(
        host=about.host, user=about.username, dbname=about.database, options=options
    ) as other:
        other.execute("LOCK TABLE deals, surveys IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.skipif(not POSTGRES_URL, reason="only PostgreSQL can be kept from answering by another")
@pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)
def test_asked_to_stop_while_the_database_keeps_a_page_waiting_it_ends_within_ten_seconds(
    shop: Company, db_url: str
) -> None:
    shop.start(http={"public_url": "https://sarafan.example.com"})
    shop.wait_until_ready()
    shop.telegram.do("says", who=ANNA, text="/dashboard")
    [link] = until(lambda: [row for row in shop.bot_wrote() if "Всё на одной странице" in row["text"]])
    [[button]] = link["markup"]["inline_keyboard"]
    address = button["url"].removeprefix("https://sarafan.example.com")
    answers: list[httpx.Response | None] = []
    reader = threading.Thread(target=lambda: answers.append(shop.web(address)))
    with locked(db_url):
        reader.start()
        reader.join(1)
        assert reader.is_alive()
        assert shop.stop(within=10) == 0
    reader.join(5)
    assert [answer for answer in answers if answer is not None and answer.status_code == 200] == []
