"""Services that write to a phone number: Green-API, Meta's Cloud API and Wazzup24."""

import json

import httpx

from integrations.channels.base import Channel, GatewaySettings, Posted, Template
from integrations.channels.registry import open_channel
from integrations.standins.cloud import CloudStandIn
from integrations.standins.wazzup import WazzupStandIn
from integrations.standins.whatsapp import GreenApiStandIn
from tests.integrations import cloud_schema, cloud_world, wazzup_world
from tests.integrations.clock import Clock
from tests.integrations.worlds import ASK, DIGITS, NAMES, PHONE, URL, World


class WhatsAppWorld(World):
    section = "whatsapp"
    messenger = "whatsapp"
    sending = "sendPoll"
    tells_who_left = False
    receive = "polling"

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = GreenApiStandIn(self.clock, messenger=self.messenger, longest_wait=0)
        self.faults = self.server.faults

    def channel(self, *, token: str | None = None) -> Channel:
        settings = GatewaySettings(
            provider="greenapi",
            base_url="http://green.test",
            instance_id=self.server.instance_id,
            api_token=token or self.server.token,
            receive=self.receive,
        )
        transport = httpx.ASGITransport(self.server.app)
        return open_channel(self.section, settings, transport=transport, pace=wazzup_world.patient())

    def chat(self) -> str:
        return self.server.chat_of(PHONE)

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(PHONE)]

    def tap(self, option: str, under: str = "") -> None:
        self.server.votes(PHONE, option, id_message=under)

    def types(self, text: str, quote: str = "") -> str:
        return self.server.says(PHONE, text, quote=quote)

    def edits(self, message_id: str, text: str) -> None:
        self.server.edits(PHONE, text, id_message=message_id)

    def sends(self, media: str, caption: str = "") -> None:
        self.server.sends(PHONE, NAMES.get(media, media), caption)

    def vanish(self) -> None:
        self.server.has_no_account(PHONE)

    def repeat(self) -> None:
        self.server.repeat()

    def tells_status(self, message_id: str, status: str) -> None:
        self.server.keep_statuses()
        self.server.tells_status(message_id, self.chat(), status)


class WhatsAppWebhookWorld(WhatsAppWorld):
    receive = "webhook"

    def posts(self) -> list[Posted]:
        headers = {"authorization": f"Bearer {self.server.settings['webhookUrlToken']}"}
        self.received()  # lets what was accepted go out
        waiting, self.server.notifications = self.server.notifications, []
        return [Posted(json.dumps(one.body).encode(), headers) for one in waiting]


class MaxAccountWorld(WhatsAppWorld):
    section = "max_account"
    messenger = "max"
    sending = "sendMessage"


class TelegramAccountWorld(MaxAccountWorld):
    section = "telegram_account"
    messenger = "telegram"


class CloudWorld(World):
    """Nobody has written yet, so it is asked by a template that says the same."""

    sending = "/messages"

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = CloudStandIn(self.clock)
        self.faults = self.server.faults
        self.server.approve("ask_ru", ASK.text, buttons=DIGITS)
        self.server.set_callback(URL)

    def channel(self, *, token: str | None = None) -> Channel:
        settings = GatewaySettings(
            provider="cloud",
            base_url=cloud_world.BASE_URL,
            phone_number_id=self.server.phone_number_id,
            access_token=token or self.server.token,
            app_secret=self.server.app_secret,
            templates={ASK.topic: Template(template="ask_ru", buttons=len(DIGITS))},
        )
        transport = httpx.ASGITransport(self.server.app)
        pace = wazzup_world.patient()
        return open_channel("whatsapp", settings, transport=transport, pace=pace, now=self.clock)

    def chat(self) -> str:
        return self.server.person(PHONE).chat_id

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(PHONE)]

    def tap(self, option: str, under: str = "") -> None:
        self.server.taps(PHONE, option, wamid=under)

    def types(self, text: str, quote: str = "") -> str:
        return self.server.says(PHONE, text, quote=quote)

    def edits(self, message_id: str, text: str) -> None:
        self.server.edits(PHONE, text, wamid=message_id)

    def sends(self, media: str, caption: str = "") -> None:
        self.server.sends(PHONE, NAMES.get(media, media), caption)

    def vanish(self) -> None:
        self.server.has_no_account(PHONE)

    def repeat(self) -> None:
        self.server.repeat()

    def posts(self) -> list[Posted]:
        waiting = [cloud_world.posted(webhook) for webhook in self.server.waiting()]
        self.server.delivered()
        return waiting

    def leaves(self) -> None:
        self.server.stops_marketing(PHONE)

    def comes_back(self) -> None:
        self.server.stops_marketing(PHONE, resumes=True)

    def tells_status(self, message_id: str, status: str) -> None:
        self.server.keep_statuses()
        self.server.tells_status(message_id, status)

    def assert_calls_fit(self) -> None:
        cloud_schema.assert_sendings_fit(self.server.requests)


class WazzupWorld(World):
    section = "whatsapp"
    transport = "whatsapp"
    sending = "/message"
    askings = 2  # under one name, of which the service knows that it is the same message
    tells_who_left = False

    def __init__(self) -> None:
        self.clock = Clock()
        self.server = WazzupStandIn(self.clock, transport=self.transport)
        self.faults = self.server.faults

    def channel(self, *, token: str | None = None) -> Channel:
        settings = wazzup_world.settings(self.server, api_key=token or self.server.api_key)
        transport = httpx.ASGITransport(self.server.app)
        pace = wazzup_world.patient()
        return open_channel(self.section, settings, transport=transport, pace=pace, now=self.clock)

    def chat(self) -> str:
        return PHONE.removeprefix("+")

    def received(self) -> list[str]:
        return [post.text for post in self.server.messages(PHONE)]

    def tap(self, option: str, under: str = "") -> None:
        raise LookupError("there are no buttons but in WABA, which has tests of its own")

    def types(self, text: str, quote: str = "") -> str:
        return self.server.says(PHONE, text, quote=quote)

    def edits(self, message_id: str, text: str) -> None:
        self.server.edits(PHONE, text, message_id=message_id)

    def sends(self, media: str, caption: str = "") -> None:
        self.server.sends(PHONE, NAMES.get(media, media), caption)

    def vanish(self) -> None:
        self.server.has_no_account(PHONE)

    def repeat(self) -> None:
        self.server.repeat()

    def posts(self) -> list[Posted]:
        return wazzup_world.posts(self.server)

    def tells_status(self, message_id: str, status: str) -> None:
        self.server.keep_statuses()
        self.server.tells_status(message_id, status)


class WazzupMaxWorld(WazzupWorld):
    section = "max_account"
    transport = "max"

    def chat(self) -> str:
        return PHONE


class WazzupTelegramWorld(WazzupMaxWorld):
    section = "telegram_account"
    transport = "tgapi"
