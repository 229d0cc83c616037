"""Notes of calls are read whatever shape a telephone gave them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.amocrm.calls import CallNote

# As documented: https://www.amocrm.ru/developers/content/crm_platform/events-and-notes
NOTE: dict[str, Any] = {
    "id": 6001, "entity_id": 501, "created_by": 77, "responsible_user_id": 78, "created_at": 1757000000,
    "note_type": "call_in",
    "params": {
        "uniq": "pbx-81", "duration": 125, "source": "examplePBX", "link": "https://pbx.example/rec/81.mp3",
        "phone": "+79120000000", "call_responsible": 79, "call_result": "Договорились", "call_status": 4,
    },
}  # fmt: skip


def test_a_call_as_documented() -> None:
    note = CallNote.model_validate(NOTE)
    assert (note.id, note.entity_id, note.users, note.uniq) == (6001, 501, (77, 78, 79), "pbx-81")
    assert (note.duration, note.link) == (125, "https://pbx.example/rec/81.mp3")
    assert note.created_at == datetime.fromtimestamp(1757000000, UTC)


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        (None, ("", "", 0)),
        ([], ("", "", 0)),
        ("{}", ("", "", 0)),
        ({"link": None, "uniq": None, "duration": None}, ("", "", 0)),
        ({"link": "", "uniq": 81, "duration": "125"}, ("", "81", 125)),
        ({"link": "javascript:alert(1)", "duration": -3}, ("", "", 0)),
        ({"link": " http://pbx/1.mp3 ", "duration": 12.7}, ("http://pbx/1.mp3", "", 0)),
        ({"link": "https://pbx/a b", "uniq": True, "duration": True}, ("", "", 0)),
    ],
)
def test_an_odd_call_is_read_all_the_same(params: Any, wanted: tuple[str, str, int]) -> None:
    note = CallNote.model_validate({**NOTE, "params": params})
    assert (note.link, note.uniq, note.duration) == wanted


def test_who_talked_may_be_told_as_a_name_or_not_at_all() -> None:
    odd = {"created_by": 0, "responsible_user_id": None}
    note = CallNote.model_validate({**NOTE, **odd, "params": {"call_responsible": "Олег"}})
    assert note.users == ()
    assert CallNote.model_validate({"id": 1}).created_at is None
