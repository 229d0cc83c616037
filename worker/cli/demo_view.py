"""What the page of `demo --serve` shows: the chats and the deals of the made-up company, as plain values."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from integrations.standins import telegram_model, whatsapp_model
from integrations.standins.amocrm_account import MadeUpAccount
from integrations.standins.amocrm_model import CLOSED, WON, Lead
from integrations.standins.town import Town
from integrations.standins.whatsapp import GreenApiStandIn
from worker.cli.demo_cast import STAFF, Colleague
from worker.cli.demo_people import COMPLAINTS
from worker.cli.demo_scene import Player, Scene
from worker.cli.demo_story import MONTHS
from worker.cli.demo_town import ZONE
from worker.rules.formats import amount

Json = dict[str, Any]

WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
MEDIA = {"voice": "голосовое сообщение", "photo": "фото", "contact": "номер телефона", "audio": "аудио"}
DEAL_LINK = re.compile(r"/leads/detail/(\d+)")


def view(scene: Scene) -> Json:
    """Everything at once: a page that is behind needs nothing else to catch up."""
    town = scene.town
    now = scene.clock.now().astimezone(ZONE)
    return {
        "version": scene.version,
        "clock": f"{WEEKDAYS[now.weekday()]}, {_day(now)} {now.year}, {now:%H:%M}",
        "chats": {
            "telegram": [_in_telegram(town, player) for player in scene.players if player.user_id],
            "whatsapp": [_in_whatsapp(town, player) for player in scene.players if not player.user_id],
            "staff": [_of_staff(town, colleague) for colleague in STAFF],
        },
        "deals": list(_deals(town.amocrm)),
        "trouble": scene.troubles[-1] if scene.troubles else "",
    }


# Chats


def _in_telegram(town: Town, player: Player) -> Json:
    person = town.telegram.people[player.user_id]
    return {
        "id": str(player.user_id),
        "name": player.name,
        "can_start": not person.has_started,
        "commands": [],
        "messages": _telegram_messages(town, player.user_id),
    }


def _in_whatsapp(town: Town, player: Player) -> Json:
    return {
        "id": player.phone,
        "name": player.name,
        "can_start": False,
        "commands": [],
        "messages": _whatsapp_messages(town.whatsapp, player.phone),
    }


def _of_staff(town: Town, colleague: Colleague) -> Json:
    menu = town.telegram.menus.get(colleague.telegram_id, [])
    return {
        "id": str(colleague.telegram_id),
        "name": colleague.name,
        "title": colleague.title,
        "can_start": False,
        "commands": [{"text": f"/{one['command']}", "about": one["description"]} for one in menu],
        "messages": _telegram_messages(town, colleague.telegram_id),
    }


def _telegram_messages(town: Town, chat_id: int) -> list[Json]:
    posts = town.telegram.conversation(chat_id)
    texts = {post.message_id: _words(post) for post in posts}
    return [
        {
            "id": str(post.message_id),
            "mine": not post.by_bot,
            "from": "",
            "text": texts[post.message_id],
            "day": _day(post.at),
            "at": _clock(post.at),
            "is_edited": post.edited_at is not None,
            "quote": texts.get(post.reply_to or 0, ""),
            "rows": [*_inline(post), *(_keyboard(post) if post is posts[-1] else ())],
        }
        for post in posts
    ]


def _words(post: telegram_model.Posted) -> str:
    media = next((name for key, name in MEDIA.items() if key in post.extra), "")
    text = "/start" if post.text.startswith("/start ") else post.text  # as the application shows it
    return " ".join(part for part in (f"({media})" if media else "", text) if part)


def _inline(post: telegram_model.Posted) -> Iterator[list[Json]]:
    for row in (post.markup or {}).get("inline_keyboard", ()):
        yield [_button(key) for key in row]


def _button(key: Json) -> Json:
    """`deal`: the button opens this deal's card."""
    found = DEAL_LINK.search(key.get("url", ""))
    return {
        "text": key["text"],
        "does": "press" if "callback_data" in key else "copy" if "copy_text" in key else "open",
        "deal": int(found[1]) if found else 0,
        "url": key.get("url", ""),
        "copies": key.get("copy_text", {}).get("text", ""),
        "is_chosen": False,
    }


def _keyboard(post: telegram_model.Posted) -> Iterator[list[Json]]:
    """The keys in place of a phone's keyboard: one of them shares the number, others type their words."""
    for row in (post.markup or {}).get("keyboard", ()):
        yield [
            {
                "text": key["text"] if isinstance(key, dict) else key,
                "does": "share" if isinstance(key, dict) and key.get("request_contact") else "say",
                "deal": 0, "url": "", "copies": "", "is_chosen": False,
            }
            for key in row
        ]  # fmt: skip


def _whatsapp_messages(gateway: GreenApiStandIn, phone: str) -> list[Json]:
    talk = gateway.conversation(phone)
    texts = {one.id_message: one.text for one in talk}
    return [_whatsapp_message(one, texts) for one in talk]


def _whatsapp_message(one: whatsapp_model.Posted | whatsapp_model.Heard, texts: dict[str, str]) -> Json:
    at = one.accepted_at if isinstance(one, whatsapp_model.Posted) else one.at
    shown: Json = {
        "id": one.id_message,
        "day": _day(at),
        "at": _clock(at),
        "text": one.text,
        "is_edited": False,
        "quote": texts.get(one.quoted, ""),
        "from": "",
        "rows": [],
    }
    if isinstance(one, whatsapp_model.Posted):
        chosen = one.votes.get(one.chat_id)
        options = [
            {
                "text": option, "does": "press", "deal": 0, "url": "", "copies": "",
                "is_chosen": option == chosen,
            }
            for option in one.options
        ]  # fmt: skip
        return {**shown, "mine": False, "rows": [options] if options else []}
    text = " ".join(part for part in (f"({MEDIA.get(one.media, one.media)})" if one.media else "", one.text))
    who = "сотрудник с телефона" if one.by_company else ""
    return {**shown, "mine": not one.by_company, "text": text.strip(), "from": who}


# amoCRM


def _deals(amocrm: MadeUpAccount) -> Iterator[Json]:
    """Complaints first, then what is open, then what is closed; within each the newest first."""
    complaints = amocrm.pipeline(COMPLAINTS).id

    def place(lead: Lead) -> tuple[bool, bool, int]:
        return lead.pipeline_id != complaints, lead.status_id in CLOSED, -lead.id

    for lead in sorted((lead for lead in amocrm.leads.values() if not lead.is_deleted), key=place):
        is_complaint = lead.pipeline_id == complaints
        status = next(
            status for status in amocrm.pipelines[lead.pipeline_id].statuses if status.id == lead.status_id
        )
        yield {
            "id": lead.id,
            "name": lead.name,
            "is_complaint": is_complaint,
            "is_open": lead.status_id not in CLOSED,
            "is_won": lead.status_id == WON,
            "is_taken": is_complaint and status.name == "В работе",
            "status": status.name,
            "price": amount(lead.price) if lead.price else "",
            "client": next((amocrm.contacts[contact].name for contact in lead.contact_ids), ""),
            "manager": amocrm.users[lead.responsible_user_id].name,
            "tags": list(lead.tags),
            "fields": [
                {"name": custom.name, "value": ", ".join(str(each["value"]) for each in lead.fields[key])}
                for key, custom in amocrm.custom_fields["leads"].items()
                if lead.fields.get(key)
            ],
            "tasks": [
                {
                    "text": task.text,
                    "until": _moment(datetime.fromtimestamp(task.complete_till, ZONE)),
                    "who": amocrm.users[task.responsible_user_id].name,
                    "is_done": task.is_completed,
                    "result": task.result_text or "",
                }
                for task in amocrm.tasks_of(lead.id)
            ],
            "notes": amocrm.notes_of(lead.id),
        }


# Words


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(ZONE):%H:%M}"


def _day(moment: datetime) -> str:
    local = moment.astimezone(ZONE)
    return f"{local.day} {MONTHS[local.month - 1]}"


def _moment(moment: datetime) -> str:
    local = moment.astimezone(ZONE)
    return f"{_day(local)}, {local:%H:%M}"
