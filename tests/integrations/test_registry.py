"""Every channel of the registry behaves alike: a new one is tried here before it has tests of its own."""

import pytest

from integrations.channels.base import GatewaySettings
from integrations.channels.registry import CHANNELS, open_channel
from tests.integrations.channel_suite import *  # noqa: F403 - whatever a channel must do, and its fixture
from tests.integrations.worlds import World
from tests.integrations.worlds_of_bots import MaxWebhookWorld, MaxWorld, TelegramWebhookWorld, TelegramWorld
from tests.integrations.worlds_of_gateways import (
    CloudWorld,
    MaxAccountWorld,
    TelegramAccountWorld,
    WazzupMaxWorld,
    WazzupTelegramWorld,
    WazzupWorld,
    WhatsAppWebhookWorld,
    WhatsAppWorld,
)

WORLDS: dict[tuple[str, str], tuple[type[World], ...]] = {
    ("telegram", ""): (TelegramWorld, TelegramWebhookWorld),
    ("max", ""): (MaxWorld, MaxWebhookWorld),
    ("whatsapp", "greenapi"): (WhatsAppWorld, WhatsAppWebhookWorld),
    ("whatsapp", "cloud"): (CloudWorld,),
    ("whatsapp", "wazzup"): (WazzupWorld,),
    ("max_account", "greenapi"): (MaxAccountWorld,),
    ("max_account", "wazzup"): (WazzupMaxWorld,),
    ("telegram_account", "greenapi"): (TelegramAccountWorld,),
    ("telegram_account", "wazzup"): (WazzupTelegramWorld,),
}

EVERY = [(kind.section, kind.provider) for kind in CHANNELS]
WAYS = [(key, way) for key in EVERY for way in WORLDS.get(key, (None,))]


@pytest.fixture(params=WAYS, ids=lambda way: way[1].__name__ if way[1] else " ".join(way[0]))
def world(request: pytest.FixtureRequest) -> World:
    key, way = request.param
    assert way is not None, f"write a World for the new channel {key}"
    made: World = way()
    return made


def test_every_channel_is_named_once() -> None:
    assert len(set(EVERY)) == len(EVERY)


def test_a_channel_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(LookupError, match="whatsapp pigeon; there are telegram"):
        open_channel("whatsapp", GatewaySettings(provider="pigeon"))
