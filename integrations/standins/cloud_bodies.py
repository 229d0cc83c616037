"""What may be sent through Meta's Cloud API, and what is refused with which code."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrations.standins.cloud_json import STATUSES, Json, refusal


class Refusal(Exception):
    """A request that is refused with one of Meta's codes."""

    def __init__(self, code: int, details: str = "", *, subcode: int = 0, status: int = 0) -> None:
        super().__init__(code)
        self.status = status or STATUSES.get(code, 400)
        self.body = refusal(code, details, subcode=subcode)


@dataclass(slots=True, kw_only=True)
class Approved:
    """A template. `body` has variables {{1}}, {{2}} …"""

    name: str
    language: str
    body: str
    buttons: tuple[str, ...] = ()  # quick replies
    category: str = "UTILITY"
    status: str = "APPROVED"


@dataclass(slots=True, kw_only=True)
class Posted:
    """A message of ours: accepted, and how far it got."""

    wamid: str
    chat_id: str
    text: str
    kind: str  # text, button, list or template
    options: tuple[tuple[str, str], ...] = ()  # what can be tapped: title and what comes back
    template: str = ""
    reference: str = ""
    quoted: str = ""
    statuses: list[str] = field(default_factory=list)


def fill(post: Posted, body: Json, templates: Mapping[tuple[str, str], Approved]) -> Approved | None:
    """What the message says, and the template that says it."""
    post.kind = str(body.get("type"))
    content = body.get(post.kind)
    if post.kind not in ("text", "interactive", "template"):
        raise Refusal(131051)
    if not isinstance(content, dict):
        raise Refusal(131008, f"{post.kind} is missing")
    if post.kind == "template":
        named = (content["name"], content["language"]["code"])
        return _fill_template(post, content, templates.get(named))
    if post.kind == "interactive":
        _fill_interactive(post, content)
    else:
        post.text = _text(content.get("body"), 4096)
    return None


def _fill_template(post: Posted, content: Json, template: Approved | None) -> Approved:
    if template is None or template.status not in ("APPROVED", "PAUSED", "DISABLED"):
        raise Refusal(132001, f"template name ({content['name']}) does not exist")
    if template.status != "APPROVED":
        raise Refusal(132015 if template.status == "PAUSED" else 132016)
    components: list[Json] = content.get("components", [])
    # In whatever case: pywa writes both in capitals.
    body = [one for one in components if one["type"].lower() == "body"]
    values = [parameter["text"] for one in body for parameter in one["parameters"]]
    wanted = len(set(re.findall(r"\{\{\d+\}\}", template.body)))
    if len(values) != wanted:
        raise Refusal(132000, f"expected {wanted} parameters, got {len(values)}")
    for value in values:
        if not value:
            raise Refusal(131008, "Parameter of type text is missing text value")
        if re.search(r"[\n\t]| {5}", value):
            raise Refusal(132012, "Param text cannot have new-line/tab characters or more than 4 spaces")
    options = [(title, title) for title in template.buttons]  # without a payload the title comes back
    for one in (one for one in components if one["type"].lower() == "button"):
        index = int(one["index"])
        if one["sub_type"].lower() != "quick_reply" or index >= len(options):
            raise Refusal(132012, f"there is no quick reply {index}")
        options[index] = (options[index][0], one["parameters"][0]["payload"])
    post.template, post.options = template.name, tuple(options)
    post.text = re.sub(r"\{\{(\d+)\}\}", lambda found: str(values[int(found[1]) - 1]), template.body)
    if len(post.text) > 1024:
        raise Refusal(132005)
    return template


def _fill_interactive(post: Posted, content: Json) -> None:
    post.text = _text(content.get("body", {}).get("text"), 1024)
    action, post.kind = content.get("action", {}), str(content.get("type"))
    if post.kind == "button":
        replies = [button["reply"] for button in action.get("buttons", [])]
        _check(replies, range(1, 4), longest_id=256, longest_title=20)
    elif post.kind == "list":
        replies = [row for section in action.get("sections", []) for row in section["rows"]]
        _check(replies, range(1, 11), longest_id=200, longest_title=24)
        _text(action.get("button"), 20)
    else:
        raise Refusal(131009, "Unknown type of interactive message")
    post.options = tuple((reply["title"], reply["id"]) for reply in replies)


def _check(replies: Sequence[Json], number: range, *, longest_id: int, longest_title: int) -> None:
    if len(replies) not in number:
        raise Refusal(131009, f"Invalid buttons count. Allowed: {number[0]} to {number[-1]}")
    for key, longest in (("id", longest_id), ("title", longest_title)):
        given = [_text(reply.get(key), longest) for reply in replies]
        if len(set(given)) < len(given):
            raise Refusal(131009, f"Duplicate {key}")


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or not value:
        raise Refusal(131008, "Required parameter is missing")
    if len(value) > longest:
        raise Refusal(131009, f"must be at most {longest} characters long")
    return value
