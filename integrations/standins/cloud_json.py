"""Meta's JSON: how a webhook, a phone number and a refusal look."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

Json = dict[str, Any]

# HTTP status and title by code, where the status is not 400:
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
STATUSES = {
    0: 401,
    3: 500,
    10: 403,
    190: 401,
    200: 403,
    368: 403,
    131005: 403,
    131031: 403,
    131000: 500,
    131016: 500,
    132001: 404,
    131057: 503,
}
TITLES = {
    0: "AuthException",
    4: "API Too Many Calls",
    10: "API Permission Denied",
    100: "Invalid parameter",
    190: "Invalid OAuth access token - Cannot parse access token",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131030: "Recipient phone number not in allowed list",
    131031: "Business Account locked",
    131037: "Display name approval needed",
    131042: "Business eligibility payment issue",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "This message was not delivered to maintain healthy ecosystem engagement.",
    131050: "User has stopped marketing messages from your business",
    131051: "Unsupported message type",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132012: "Parameter format does not match format in the created template",
    132015: "Template is paused",
    132016: "Template is disabled",
    133010: "Phone number not registered",
}


def refusal(code: int, details: str = "", *, subcode: int = 0) -> Json:
    title = TITLES.get(code, "Unknown error")
    error: Json = {
        "message": f"(#{code}) {title}" if code > 1000 else title,
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "AbcDefGhiJklMnoPqrStuVwx",
    }
    if subcode:
        error["error_subcode"] = subcode
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return {"error": error}


def failure(code: int) -> Json:
    """One of `errors[]` in a status."""
    title = TITLES.get(code, "Unknown error")
    return {"code": code, "title": title, "message": title, "error_data": {"details": f"{title}."}}


def seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def posted(envelope: Json, app_secret: str) -> tuple[str, dict[str, str]]:
    """The body with everything but ASCII escaped, slashes too, and its headers."""
    body = json.dumps(envelope, separators=(",", ":")).replace("/", "\\/")
    digest = hmac.new(app_secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    return body, {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}
