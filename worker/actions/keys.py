"""Keys of outbox rows: they say what the act is, not where the program stands, so it is asked for once."""


def sync_deal(deal_id: int) -> str:
    return f"sync_deal:{deal_id}"


def note_deal(survey_id: int, revision: int) -> str:
    return f"note_deal:survey:{survey_id}:{revision}"


def note(deal_id: int, about: str) -> str:
    return f"note:{deal_id}:{about}"


def task(deal_id: int, about: str) -> str:
    return f"task:{deal_id}:{about}"


def open_complaint(survey_id: int, revision: int) -> str:
    return f"open_complaint:survey:{survey_id}:{revision}"


def opening_of(survey_id: int | None) -> str:
    """How the keys of what opens this survey's complaint begin."""
    return f"open_complaint:survey:{survey_id}:"


def complaint_words(complaint_id: int, about: str) -> str:
    return f"complaint_words:{complaint_id}:{about}"


def alert(complaint_id: int, about: str) -> str:
    return f"alert:complaint:{complaint_id}:{about}"


def edit_alert(complaint_id: int | None) -> str:
    return f"edit_alert:complaint:{complaint_id}"


def press(complaint_id: int, what: str, staff: str) -> str:
    return f"press:{complaint_id}:{what}:{staff}"


def presses_of(complaint_id: int) -> str:
    """How the keys of all presses under its alert begin."""
    return f"press:{complaint_id}:"


def buttons(channel: str, chat_id: str, message_id: str) -> str:
    return f"buttons:{channel}:{chat_id}:{message_id}"


def note_result(channel: str, row_id: int | None) -> str:
    return f"note_result:{channel}:{row_id}"


def thank(reply_id: int) -> str:
    return f"thank:reply:{reply_id}"


def say(about: str) -> str:
    return f"say:{about}"


def toast(callback_id: str) -> str:
    return f"toast:{callback_id}"


def edit_question(survey_id: int, revision: int) -> str:
    return f"edit_question:{survey_id}:{revision}"


def answer_staff(channel: str, row_id: int | None) -> str:
    return f"answer_staff:{channel}:{row_id}"


def staff_menu(channel: str, chat_id: int | str) -> str:
    return f"staff_menu:{channel}:{chat_id}"


def tell_head(about: str) -> str:
    return f"tell_head:{about}"


def edit_request(request_id: int | None) -> str:
    return f"edit_request:{request_id}"


def reply_client(channel: str, chat_id: str, message_id: str) -> str:
    return f"reply_client:{channel}:{chat_id}:{message_id}"


def credit_referrer(deal_id: int, code: str) -> str:
    return f"credit_referrer:{deal_id}:{code}"


def tell_referrer(deal_id: int) -> str:
    return f"tell_referrer:{deal_id}"


def reward_task(deal_id: int) -> str:
    return f"reward_task:{deal_id}"


def stop_tag(contact_id: int) -> str:
    return f"stop_tag:{contact_id}"


def welcome_back(about: str) -> str:
    return f"welcome_back:{about}"
