"""A company whose clients come back asks for sales health: the whole report has it, one metric has not."""

from tests.flows.test_staff_commands import sends
from tests.world import World, configured


@configured({"reports": {"sales_health": True, "min_answers": 1}})
async def test_the_whole_report_tells_who_buys_again_and_a_single_metric_does_not(town: World) -> None:
    await town.asked(price=180_000)
    written = await town.report()
    assert (written["retention"]["customers"], written["retention"]["repeat_rate"]) == (1, 0)
    assert written["retention"]["retention_rate"] is None  # nobody was there before
    assert written["segments"]["abc"]["A"]["customers"] == 1
    assert [len(month["bought"]) for month in written["cohorts"]["months"]] == [*range(13, 0, -1)]
    told = "\n".join(message.text for message in await sends(town, "/report"))
    assert "Повторные покупки\nПокупателей 1, покупали не раз 0" in told
    assert "Класс A: 1 покупатель" in told
    assert "Покупателей" not in "\n".join(message.text for message in await sends(town, "/nps"))
