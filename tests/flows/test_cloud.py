"""WhatsApp by Meta: a template first, free words for a day after the client wrote, statuses that settle."""

from datetime import timedelta

from integrations.channels.base import Template
from integrations.channels.cloud import Cloud
from storage.tables.surveys import SurveyState
from tests.world import CLOUD, IVAN, World, configured, merged


def texts(town: World) -> list[str]:
    return [post.text for post in town.cloud.messages(IVAN)]


async def answers(town: World, text: str) -> None:
    town.clock.advance(timedelta(minutes=1))
    town.cloud.says(IVAN, text)
    await town.meta_posts()


@configured(CLOUD)
async def test_a_client_who_never_wrote_gets_the_template_and_the_code_after_the_answer(town: World) -> None:
    deal = await town.asked()
    [question] = town.cloud.messages(IVAN)
    assert (question.kind, question.text) == (
        "template",
        "Здравствуйте! ВладАвтоматика просит оценить заказ от 1 до 10.",
    )
    survey = await town.survey(deal)
    assert (survey.text_variant, survey.promo_code) == ("template", "")
    await answers(town, "9")
    [thanks] = texts(town)[1:]
    assert "ДРУГ-" in thanks
    assert town.amocrm.field_value(deal, "NPS") == "9"


@configured(CLOUD)
async def test_neutral_answers_bring_the_code_too_and_low_ones_do_not(town: World) -> None:
    await town.asked()
    await answers(town, "7")
    assert "ДРУГ-" in texts(town)[-1]


@configured(CLOUD)
async def test_the_unhappy_are_not_handed_a_code(town: World) -> None:
    await town.asked()
    await answers(town, "2, калитка скрипит")
    assert all("ДРУГ-" not in text for text in texts(town))


@configured(CLOUD)
async def test_who_wrote_today_is_asked_in_free_words_with_choices_and_the_code(town: World) -> None:
    deal = await town.closed_deal()
    await town.at(town.local().replace(hour=20))
    await answers(town, "Здравствуйте")
    await town.next_morning()
    question = town.cloud.messages(IVAN)[-1]
    assert question.kind == "list"
    assert [title for title, _ in question.options] == [str(score) for score in range(1, 11)]
    assert "ДРУГ-" in question.text
    town.cloud.taps(IVAN, "10")
    await town.meta_posts()
    assert (await town.survey(deal)).score == 10


@configured(CLOUD)
async def test_a_window_that_closes_on_the_way_is_met_with_the_template(town: World) -> None:
    """Meta counts the day otherwise than we do: the free words fail, by a status."""
    deal = await town.closed_deal()
    await town.at(town.local().replace(hour=20))
    await answers(town, "Здравствуйте")
    town.cloud.person(IVAN).wrote_at = None
    await town.next_morning()
    await town.meta_posts()
    survey = await town.survey(deal)
    assert [post.kind for post in town.cloud.messages(IVAN)] == ["template"], "all that arrived"
    assert sum(call.path.endswith("/messages") for call in town.cloud.requests) == 2
    assert (survey.state, survey.channel, survey.text_variant) == (SurveyState.SENT, "whatsapp", "template")


@configured(CLOUD)
async def test_a_lost_answer_is_settled_by_the_status_that_names_our_message(town: World) -> None:
    deal = await town.closed_deal()
    town.cloud.faults.add("/messages", after=True, drop=True)
    await town.next_morning()
    assert (await town.survey(deal)).state == SurveyState.UNCERTAIN
    await town.meta_posts()
    survey = await town.survey(deal)
    assert (survey.state, survey.uncertain) == (SurveyState.SENT, False)
    assert survey.delivered_at is not None
    assert len(texts(town)) == 1


@configured(CLOUD)
async def test_said_to_have_failed_and_then_to_have_arrived_it_is_asked_once(town: World) -> None:
    town.cloud.keep_statuses()
    deal = await town.asked()
    [question] = town.cloud.messages(IVAN)
    town.cloud.tells_status(question.wamid, "failed", 131026)
    town.cloud.tells_status(question.wamid, "delivered")
    await town.meta_posts()
    survey = await town.survey(deal)
    assert (survey.state, survey.channel) == (SurveyState.SENT, "whatsapp")
    assert len(texts(town)) == 1
    await answers(town, "9")
    assert (await town.survey(deal)).score == 9


@configured(merged(CLOUD, {"delivery": {"channels": ["whatsapp", "telegram"]}}))
async def test_who_is_not_on_whatsapp_is_asked_by_the_next_channel(town: World) -> None:
    deal = await town.closed_deal()
    await town.links(deal)
    town.cloud.has_no_account(IVAN)
    await town.next_morning()
    await town.meta_posts()
    assert (await town.survey(deal)).channel == "telegram"


@configured(CLOUD)
async def test_a_template_that_was_stopped_is_told_and_asks_nobody(town: World) -> None:
    deal = await town.closed_deal()
    town.cloud.set_template("nps_ru", "PAUSED")
    await town.meta_posts()
    await town.next_morning()
    assert texts(town) == []
    assert (await town.survey(deal)).reason == "unreachable"
    assert any("nps_ru" in reason for reason in await town.app.health.reasons())


@configured(CLOUD)
async def test_a_template_that_is_well_says_nothing_of_another(town: World) -> None:
    whatsapp = town.app.hands.channels["whatsapp"]
    assert isinstance(whatsapp, Cloud)
    whatsapp._templates = {**whatsapp._templates, "csat": Template(template="csat_ru")}
    town.cloud.approve("csat_ru", "Оцените работу менеджера.")
    town.cloud.set_template("nps_ru", "PAUSED")
    town.cloud.set_template("csat_ru", "APPROVED")
    await town.meta_posts()
    assert [reason for reason in await town.app.health.reasons() if "nps_ru" in reason]
    town.cloud.set_template("nps_ru", "APPROVED")
    await town.meta_posts()
    assert not [reason for reason in await town.app.health.reasons() if "nps_ru" in reason]


TWO = merged(
    CLOUD,
    {
        "survey": [
            {"key": "nps", "metric": "nps"},
            {"key": "csat", "metric": "csat", "delay": "3d"},
        ],
        "whatsapp": {
            "templates": {"csat": {"template": "csat_ru", "template_language": "ru", "buttons": 5}},
        },
    },
)


@configured(TWO)
async def test_between_two_questions_the_window_closes_and_the_second_is_a_template(town: World) -> None:
    town.cloud.approve("csat_ru", "Оцените нашу работу.", buttons=("1", "2", "3", "4", "5"))
    deal = await town.asked()
    await answers(town, "9")
    await town.later(days=3)
    *_, thanks, second = town.cloud.messages(IVAN)
    assert (thanks.kind, second.kind, second.text) == ("text", "template", "Оцените нашу работу.")
    assert (await town.survey(deal, "csat")).text_variant == "template"
    town.clock.advance(timedelta(minutes=1))
    town.cloud.taps(IVAN, "5")
    await town.meta_posts()
    assert (await town.survey(deal, "csat")).score == 5


@configured(merged(CLOUD, {"delivery": {"channels": ["whatsapp", "telegram"]}}))
async def test_failed_in_the_evening_and_arrived_a_minute_later_it_is_asked_once(town: World) -> None:
    town.cloud.keep_statuses()
    deal = await town.closed_deal()
    await town.links(deal)
    await town.next_morning()
    [question] = town.cloud.messages(IVAN)
    await town.at(town.local().replace(hour=21))
    town.cloud.tells_status(question.wamid, "failed", 131026)
    await town.meta_posts()
    await town.later(minutes=1)
    town.cloud.tells_status(question.wamid, "delivered")
    await town.meta_posts()
    await town.next_morning()
    survey = await town.survey(deal)
    assert (survey.state, survey.channel) == (SurveyState.SENT, "whatsapp")
    assert len(town.in_telegram()) == 1, "the greeting alone"


@configured(CLOUD)
async def test_who_was_not_to_be_found_and_writes_is_asked_there_the_next_time(town: World) -> None:
    town.cloud.has_no_account(IVAN)
    await town.asked()
    await town.meta_posts()
    town.cloud.person(IVAN).has_account = True
    await town.later(days=40)
    await answers(town, "Здравствуйте")
    second = await town.closed_deal()
    await town.later(days=1, hours=1)
    assert (await town.survey(second)).channel == "whatsapp"


@configured(CLOUD)
async def test_who_hides_the_number_later_is_still_the_same_person(town: World) -> None:
    deal = await town.closed_deal()
    await answers(town, "Здравствуйте")  # A message tells both ids, as long as the number is shown.
    await town.later(days=2)
    hidden = town.cloud.hides(IVAN)
    town.clock.advance(timedelta(minutes=1))
    town.cloud.says(hidden, "9")
    await town.meta_posts()
    assert (await town.survey(deal)).score == 9
    town.clock.advance(timedelta(days=1))
    town.cloud.says(hidden, "стоп")
    await town.meta_posts()
    assert "не опрашивать" in town.amocrm.contacts[town.ivan()].tags


@configured(CLOUD)
async def test_what_a_template_costs_keeps_nobody_from_being_ready_and_a_good_number_is_good(
    town: World,
) -> None:
    town.cloud.set_category("nps_ru", "MARKETING")
    await town.meta_posts()
    assert not [reason for reason in await town.app.health.reasons() if "state" in reason]


@configured(CLOUD)
async def test_a_status_tells_the_other_id_as_well(town: World) -> None:
    town.cloud.person(IVAN)
    deal = await town.asked()
    await town.meta_posts()
    hidden = town.cloud.hides(IVAN)
    town.clock.advance(timedelta(minutes=1))
    town.cloud.says(hidden, "9")
    await town.meta_posts()
    assert (await town.survey(deal)).score == 9


@configured(CLOUD)
async def test_where_free_words_are_refused_at_once_the_code_follows_the_answer(town: World) -> None:
    town.cloud.refuses_at_once = True
    deal = await town.closed_deal()
    await town.at(town.local().replace(hour=20))
    await answers(town, "Здравствуйте")
    town.cloud.person(IVAN).wrote_at = None
    await town.next_morning()
    survey = await town.survey(deal)
    assert (survey.text_variant, survey.promo_code) == ("template", "")
    await answers(town, "9")
    assert "ДРУГ-" in texts(town)[-1]
