"""One more channel is one file and one line of the registry: here is one, and all that it has to pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.channels import registry
from integrations.channels.base import BotSettings, Channel
from integrations.channels.registry import ChannelKind, open_channel
from integrations.standins.faults import Faults, Faulty, Logged
from storage.database import Database
from storage.tables.surveys import SurveyState
from tests.integrations.channel_suite import *  # noqa: F403 - whatever a channel must do, and its fixture
from tests.integrations.clock import Clock
from tests.integrations.pigeon import Pigeon
from tests.integrations.worlds import PHONE, World
from tests.world import IVAN
from tests.world import world as company

TOKEN = "grain"
MINUTE = timedelta(minutes=1)


@dataclass
class Loft:
    """The made-up post itself: whom it flies to, and what they write."""

    clock: Callable[[], datetime]
    letters: list[dict[str, Any]] = field(default_factory=list)  # of ours
    news: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    requests: list[Logged] = field(default_factory=list)
    nobody_at: set[str] = field(default_factory=set)
    told: int = 0

    @property
    def app(self) -> Faulty:
        routes = [
            Route("/me", self._me),
            Route("/letters", self._take, methods=["POST"]),
            Route("/news", self._tell),
        ]
        return Faulty(Starlette(routes=routes), self.faults, self.requests, lambda: self.clock())

    def tell(self, who: str, kind: str = "letter", **more: str) -> str:
        self.told += 1
        told = {"number": self.told, "kind": kind, "letter": f"in{self.told}", "from": _digits(who)}
        self.news.append({**told, "at": self.clock().isoformat(), **more})
        return str(self.news[-1]["letter"])

    def texts_to(self, who: str) -> list[str]:
        return [letter["text"] for letter in self.letters if letter["to"] == _digits(who)]

    async def _me(self, request: Request) -> Response:
        is_known = request.headers["authorization"] == TOKEN
        return JSONResponse({"name": "Голубь"}, 200 if is_known else 401)

    async def _take(self, request: Request) -> Response:
        letter = await request.json()
        if letter["to"] in self.nobody_at:
            return JSONResponse({}, 404)
        self.letters.append(letter)
        return JSONResponse({"letter": f"out{len(self.letters)}"}, 201)

    async def _tell(self, request: Request) -> Response:
        """What comes before the number that is asked for is done with."""
        after = int(request.query_params["after"])
        self.news = [each for each in self.news if each["number"] > after]
        return JSONResponse(self.news)


def _digits(phone: str) -> str:
    return phone.removeprefix("+")


def line(loft: Loft) -> ChannelKind:
    """The one line. Its section is borrowed: a real one would have its own settings."""

    def opens(settings: BotSettings, **options: Any) -> Pigeon:
        return Pigeon(settings, **{**options, "transport": httpx.ASGITransport(loft.app)})

    return ChannelKind("max", "", opens)


@pytest.fixture
def loft(monkeypatch: pytest.MonkeyPatch) -> Loft:
    made = Loft(Clock())
    others = tuple(kind for kind in registry.CHANNELS if kind.section != "max")
    monkeypatch.setattr(registry, "CHANNELS", (*others, line(made)))
    return made


class PigeonWorld(World):
    sending = "/letters"

    def __init__(self, loft: Loft) -> None:
        self.clock = Clock()
        self.loft = loft
        self.loft.clock = self.clock
        self.faults = loft.faults

    def channel(self, *, token: str | None = None) -> Channel:
        return open_channel("max", BotSettings(token=token or TOKEN, api_url="http://pigeon.test"))

    def chat(self) -> str:
        return _digits(PHONE)

    def received(self) -> list[str]:
        return self.loft.texts_to(PHONE)

    def tap(self, option: str, under: str = "") -> None:
        raise LookupError("there is nothing to tap")

    def types(self, text: str, quote: str = "") -> str:
        return self.loft.tell(PHONE, text=text, about=quote)

    def edits(self, message_id: str, text: str) -> None:
        self.loft.tell(PHONE, "correction", letter=message_id, text=text)

    def sends(self, media: str, caption: str = "") -> None:
        self.loft.tell(PHONE, enclosed=media, text=caption)

    def vanish(self) -> None:
        self.loft.nobody_at.add(self.chat())

    def repeat(self) -> None:
        self.loft.news.append(self.loft.news[-1])

    def leaves(self) -> None:
        self.loft.tell(PHONE, "closed")

    def comes_back(self) -> None:
        self.loft.tell(PHONE, "opened")


@pytest.fixture
def world(loft: Loft) -> World:
    return PigeonWorld(loft)


async def test_it_asks_and_takes_an_answer_like_any_other(db: Database, tmp_path: Path, loft: Loft) -> None:
    settings: dict[str, Any] = {
        "max": {"token": TOKEN, "api_url": "http://pigeon.test"},
        "whatsapp": {"provider": "none"},
    }
    async with company(db, tmp_path, **settings) as town:
        loft.clock = town.clock.now
        deal = await town.asked()
        [question] = loft.texts_to(IVAN)
        assert question.startswith("Здравствуйте, Иван! Это ВладАвтоматика.")
        assert "числом от 1 до 10" in question  # there is nothing to tap
        assert (await town.survey(deal)).state == SurveyState.SENT
        town.clock.advance(MINUTE)
        loft.tell(IVAN, text="9, спасибо Олегу")
        await town.step(pulls=False)
        survey = await town.survey(deal)
        assert (survey.state, survey.channel, survey.score) == (SurveyState.ANSWERED, "max", 9)
        assert town.amocrm.field_value(deal, "NPS") == "9"
        assert any("спасибо Олегу" in note for note in town.amocrm.notes_of(deal))
        assert len(loft.texts_to(IVAN)) == 2  # the thanks


async def test_whom_it_does_not_find_is_asked_by_the_next_channel(
    db: Database, tmp_path: Path, loft: Loft
) -> None:
    settings: dict[str, Any] = {
        "max": {"token": TOKEN, "api_url": "http://pigeon.test"},
        "delivery": {"channels": ["max", "whatsapp"]},
    }
    loft.nobody_at.add(_digits(IVAN))
    async with company(db, tmp_path, **settings) as town:
        deal = await town.asked()
        assert (loft.letters, (await town.survey(deal)).channel) == ([], "whatsapp")
