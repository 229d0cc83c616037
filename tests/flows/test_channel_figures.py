"""What the report says of each messenger, from a deal that closed to its line."""

from typing import Any

from tests.world import IVAN, MAX_ACCOUNT, World, configured, merged

WHATSAPP_FIRST = merged(MAX_ACCOUNT, {"delivery": {"channels": ["telegram", "whatsapp", "max_account"]}})


def total(report: dict[str, Any], figure: str) -> int:
    return sum(of[figure] for of in report["channels"].values())


@configured(WHATSAPP_FIRST)
async def test_a_failure_is_told_of_the_one_and_the_answer_of_the_other(town: World) -> None:
    town.whatsapp.has_no_account(IVAN)
    await town.asked()
    await town.later(minutes=1)
    town.max_account.says(IVAN, "9")
    await town.step(pulls=False)
    report = await town.report()
    assert report["channels"] == {
        "max_account": {"sent": 1, "delivered": 1, "read": 0, "answered": 1, "failed": 0, "uncertain": 0},
        "whatsapp": {"sent": 0, "delivered": 0, "read": 0, "answered": 0, "failed": 1, "uncertain": 0},
    }
    assert total(report, "sent") == sum(of["sent"] for of in report["surveys"].values())


async def test_who_has_no_messenger_is_in_no_channel_but_the_one_that_failed(town: World) -> None:
    town.whatsapp.has_no_account(IVAN)
    await town.asked()
    await town.later(hours=1)
    report = await town.report()
    assert {name: (of["sent"], of["failed"]) for name, of in report["channels"].items()} == {
        "whatsapp": (0, 1)
    }
    assert (report["surveys"]["nps"]["sent"], report["surveys"]["nps"]["not_sent"]) == (0, {"failed": 1})


async def test_a_bot_has_no_figure_for_what_it_does_not_tell(town: World) -> None:
    deal = town.deal()
    await town.step()
    await town.links(deal)
    town.amocrm.close_lead(deal)
    await town.step()
    await town.next_morning()
    await town.taps("10")
    assert (await town.report())["channels"] == {
        "telegram": {"sent": 1, "delivered": None, "read": None, "answered": 1, "failed": 0, "uncertain": 0}
    }
