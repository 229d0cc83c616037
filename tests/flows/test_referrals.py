"""Word of mouth: a friend names a code, and both deals say whose it was."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from storage.tables.deals import Referral
from storage.tables.queues import Outbox, OutboxState
from tests.flows.test_staff_commands import answer
from tests.world import ANNA, IVAN, PETR, ZONE, World, configured, nothing
from worker.rules.promo import candidates

CARD = "https://example.amocrm.ru/leads/detail/{}"


async def code_of_ivan(town: World) -> str:
    """Ivan is asked, and so gets his code."""
    deal = await town.asked(name="Ворота Ивана")
    code: str = town.amocrm.field_value(deal, "Промокод для друзей")
    return code


async def petr_buys(town: World, **fields: Any) -> int:
    """A friend's deal is won, a day later."""
    return await town.closed_deal([town.contact("Пётр Сидоров", PETR)], name="Калитка Петра", fields=fields)


async def decision(town: World, deal: int) -> Referral:
    async with town.db.reading() as tx:
        found = await tx.get(Referral, deal)
    assert found is not None
    return found


def home(town: World) -> int:
    return min(lead.id for lead in town.amocrm.leads_in("Продажи"))


# --- a code ------------------------------------------------------------------------------------------------


async def test_a_friends_deal_is_noted_on_both_deals(town: World) -> None:
    code = await code_of_ivan(town)
    friend = await petr_buys(town, **{"Промокод друга": code})
    assert town.amocrm.notes_of(friend) == [
        f"Клиент пришёл по рекомендации: Иван Петров, код {code}. Сделка: {CARD.format(home(town))}"
    ]
    assert town.amocrm.notes_of(home(town)) == [
        f"По рекомендации этого клиента (код {code}) выиграна сделка «Калитка Петра». {CARD.format(friend)}"
    ]


async def test_a_code_that_is_entered_while_the_deal_is_being_decided_counts_at_the_next_look(
    town: World,
) -> None:
    """The change is older than our decision, and yet the decision knew nothing of it."""
    code = await code_of_ivan(town)
    friend = town.deal([town.contact("Пётр Сидоров", PETR)], name="Калитка Петра")
    town.amocrm.close_lead(friend)
    await town.later(minutes=2)
    assert not (await decision(town, friend)).is_referral
    town.amocrm.edit_lead(friend, fields={"Промокод друга": code})
    town.amocrm.leads[friend].updated_at -= 60
    await town.later(minutes=3)
    assert (await decision(town, friend)).is_referral


@pytest.mark.parametrize(
    "spelling",
    [
        lambda code: code.lower(),
        lambda code: code.removeprefix("ДРУГ-"),
        lambda code: code.replace("-", " "),
        lambda code: f"код {code}, от Ивана",
        lambda code: code.replace("ДРУГ", "ДРYГ"),  # a Latin Y among Cyrillic letters
    ],
    ids=["lower case", "digits alone", "no hyphen", "in words", "look-alike letter"],
)
async def test_a_code_is_read_however_people_write_it(town: World, spelling: Any) -> None:
    code = await code_of_ivan(town)
    friend = await petr_buys(town, **{"Промокод друга": spelling(code)})
    assert (await decision(town, friend)).code == code
    assert len(town.amocrm.notes_of(friend)) == 1


async def test_a_code_with_one_wrong_digit_is_still_recognised(town: World) -> None:
    code = await code_of_ivan(town)
    digits = code.removeprefix("ДРУГ-")
    slip = f"{digits[:2]}{(int(digits[2]) + 1) % 10}{digits[3:]}"
    friend = await petr_buys(town, **{"Промокод друга": f"ДРУГ-{slip}"})
    found = await decision(town, friend)
    assert (found.is_referral, found.code, found.problem) == (True, code, "")
    assert code in town.amocrm.notes_of(friend)[0]


async def test_a_code_with_two_neighbours_swapped_is_still_recognised(town: World) -> None:
    code = await code_of_ivan(town)
    digits = code.removeprefix("ДРУГ-")
    at = next(place for place in range(6) if digits[place] != digits[place + 1])
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    friend = await petr_buys(town, **{"Промокод друга": swapped})
    assert (await decision(town, friend)).code == code


async def test_nobodys_code_is_reported_and_credits_nobody(town: World) -> None:
    code = await code_of_ivan(town)
    known = code.removeprefix("ДРУГ-")
    other = next(
        text for text in (f"{number:07d}" for number in range(1_000_000, 9_999_999)) if text != known
        and known not in candidates(text)
    )  # fmt: skip
    friend = await petr_buys(town, **{"Промокод друга": f"ДРУГ-{other}"})
    found = await decision(town, friend)
    assert (found.is_referral, found.problem, found.typed) == (False, "unknown", f"ДРУГ-{other}")
    assert town.amocrm.notes_of(friend) == []


async def test_the_clients_own_code_is_no_referral_and_is_flagged(town: World) -> None:
    code = await code_of_ivan(town)
    await town.ivan_writes("9")
    second = await town.closed_deal(fields={"Промокод друга": code, "Скидка": "Скидка от друга 5%"})
    found = await decision(town, second)
    assert (found.is_referral, found.problem) == (False, "self")
    assert not [note for note in town.amocrm.notes_of(second) if "рекомендац" in note]


async def test_the_same_person_by_another_contact_is_still_the_same_person(town: World) -> None:
    code = await code_of_ivan(town)
    second = await town.closed_deal(
        [town.contact("Ваня", "8 914 000 00 01")], fields={"Промокод друга": code}
    )
    assert (await decision(town, second)).problem == "self"


# --- a number, a discount ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [IVAN, "8 (914) 000-00-01", "Иван, 89140000001"])
async def test_the_referrers_phone_number_does_as_well(town: World, spelling: str) -> None:
    await code_of_ivan(town)
    friend = await petr_buys(town, **{"Промокод друга": spelling})
    found = await decision(town, friend)
    assert found.is_referral
    # A number is no code, and whole it has no business in the card of somebody else.
    assert town.amocrm.notes_of(friend) == [
        "Клиент пришёл по рекомендации: Иван Петров, указан телефон +7***0001. "
        f"Сделка: {CARD.format(home(town))}"
    ]
    assert town.amocrm.notes_of(home(town))[-1] == (
        "По рекомендации этого клиента (указан телефон +7***0001) выиграна сделка «Калитка Петра». "
        f"{CARD.format(friend)}"
    )


async def test_the_discount_alone_makes_a_referral_without_a_referrer(town: World) -> None:
    friend = await petr_buys(town, Скидка="Скидка от друга 5%")
    found = await decision(town, friend)
    assert (found.is_referral, found.by_field, found.referrer_id) == (True, True, None)
    assert town.amocrm.notes_of(friend) == []


async def test_another_discount_is_none(town: World) -> None:
    friend = await petr_buys(town, Скидка="Нет")
    assert not (await decision(town, friend)).is_referral


@configured({"referral": {"value": "Скидка от друга 7%"}})
async def test_a_discount_that_the_account_does_not_know_stops_nothing(town: World) -> None:
    await petr_buys(town, Скидка="Скидка от друга 5%")
    assert any("Скидка от друга 7%" in warning for warning in town.app.hands.known.warnings)


# --- later and twice ---------------------------------------------------------------------------------------


async def test_a_code_that_is_filled_in_later_counts_and_is_noted_once(town: World) -> None:
    code = await code_of_ivan(town)
    friend = await petr_buys(town)
    assert not (await decision(town, friend)).is_referral
    town.amocrm.edit_lead(friend, fields={"Промокод друга": code})
    await town.later(hours=1)
    town.amocrm.edit_lead(friend, price=5000)
    await town.later(hours=1)
    assert len([note for note in town.amocrm.notes_of(friend) if code in note]) == 1
    assert len([note for note in town.amocrm.notes_of(home(town)) if code in note]) == 1


async def test_an_open_or_lost_deal_credits_nobody(town: World) -> None:
    code = await code_of_ivan(town)
    friend = town.deal([town.contact("Пётр", PETR)], fields={"Промокод друга": code})
    await town.later(hours=1)
    town.amocrm.close_lead(friend, won=False)
    await town.later(hours=1)
    assert town.amocrm.notes_of(friend) == []


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_lost_answer_doubles_no_note(town: World, nth: int) -> None:
    code = await code_of_ivan(town)
    town.amocrm.faults.add("/notes$", method="POST", after=True, status=504, nth=nth)
    friend = await petr_buys(town, **{"Промокод друга": code})
    await town.until(town.clock.now().replace(hour=9))
    await town.later(hours=1)
    assert len(town.amocrm.notes_of(friend)) == 1
    assert len([note for note in town.amocrm.notes_of(home(town)) if code in note]) == 1


async def test_the_report_counts_what_word_of_mouth_brought(town: World) -> None:
    code = await code_of_ivan(town)
    await town.closed_deal([town.contact("Анна", "+79140000003")], price=100_000)
    await town.closed_deal(
        [town.contact("Пётр", PETR)], price=200_000, fields={"Промокод друга": code, "Скидка": "Нет"}
    )
    found = (await town.report())["referrals"]
    assert (found["won_deals"], found["referral_deals"], found["share"]) == (3, 1, 33.33)
    assert (found["won_amount"], found["referral_amount"], found["share_amount"]) == (300_000, 200_000, 66.67)
    assert (found["codes_issued"], found["codes_redeemed"], found["redemption_rate"]) == (1, 1, 100)
    assert datetime(2026, 9, 8, 12, tzinfo=ZONE) == town.clock.now()


@pytest.mark.parametrize(
    ("config", "before"),
    [({"referral": {"period": kind}}, nothing) for kind in ("week", "month", "quarter", "year")],
    ids=["week", "month", "quarter", "year"],
)
async def test_recommendations_are_told_by_the_weeks_months_quarters_or_years_of_the_settings(
    town: World, config: dict[str, Any]
) -> None:
    await town.closed_deal(fields={"Скидка": "Скидка от друга 5%"}, price=100_000)
    told = (await town.report("2026Q3"))["referrals"]["over_time"]
    expected = {
        "week": ("2026-W28", "2026-W40", "2026-W37"),
        "month": ("2025-10", "2026-09", "2026-09"),
        "quarter": ("2024Q4", "2026Q3", "2026Q3"),
        "year": ("2022", "2026", "2026"),
    }[config["referral"]["period"]]
    [here] = [one for one in told if one["won_deals"]]
    assert (told[0]["period"], told[-1]["period"], here["period"]) == expected
    assert (here["referral_deals"], here["share"]) == (1, 100)


async def test_a_code_and_the_discount_together_count_once(town: World) -> None:
    code = await code_of_ivan(town)
    await petr_buys(town, **{"Промокод друга": code, "Скидка": "Скидка от друга 5%"})
    found = (await town.report())["referrals"]
    assert (found["won_deals"], found["referral_deals"]) == (2, 1)


async def test_a_deal_that_is_lost_after_all_is_no_referral(town: World) -> None:
    code = await code_of_ivan(town)
    friend = await petr_buys(town, **{"Промокод друга": code})
    assert (await town.report())["referrals"]["referral_deals"] == 1
    await town.later(hours=1)
    town.amocrm.close_lead(friend, won=False)
    await town.later(hours=1)
    found = (await town.report())["referrals"]
    assert (found["won_deals"], found["referral_deals"]) == (1, 0)


# --- what the referrer gets --------------------------------------------------------------------------------

REWARD = {"referral": {"notify_referrer": True, "reward": "Вам скидка 5 % на обслуживание."}}
TOLD = (
    "Здравствуйте, Иван! Это ВладАвтоматика. По вашему промокоду сделали заказ. "
    "Спасибо, что советуете нас. Вам скидка 5 % на обслуживание."
)


def bonuses(town: World, deal: int) -> list[str]:
    return [task.text for task in town.amocrm.tasks_of(deal) if "вознаграждение" in task.text]


@configured(REWARD)
async def test_ivan_hears_that_his_friend_has_bought_and_somebody_is_to_pay_his_bonus(town: World) -> None:
    code = await code_of_ivan(town)
    await town.at(town.local().replace(hour=21))  # the send window is closed
    friend = await petr_buys(town, **{"Промокод друга": code})
    assert bonuses(town, friend) == [
        f"По коду {code} выиграна сделка «Калитка Петра». Начислить вознаграждение: Иван Петров."
    ]
    assert TOLD not in town.to_ivan()
    await town.next_morning()
    assert town.to_ivan()[-1] == TOLD
    # It is refunded, opened again, won again: nothing comes twice.
    town.amocrm.move_lead(friend, "Первичный контакт")
    await town.later(hours=1)
    town.amocrm.close_lead(friend)
    await town.later(hours=1)
    assert town.to_ivan().count(TOLD) == 1
    assert len(bonuses(town, friend)) == 1


@configured(REWARD)
async def test_a_deal_that_is_opened_again_before_the_window_opens_is_thanked_for_when_it_is_won(
    town: World,
) -> None:
    code = await code_of_ivan(town)
    await town.at(town.local().replace(hour=21))
    friend = await petr_buys(town, **{"Промокод друга": code})
    town.amocrm.move_lead(friend, "Первичный контакт")
    await town.next_morning()
    assert TOLD not in town.to_ivan()
    town.amocrm.close_lead(friend)
    await town.later(hours=1)
    assert town.to_ivan().count(TOLD) == 1


@configured(REWARD)
async def test_who_wants_no_messages_is_not_told_and_gets_the_bonus_all_the_same(town: World) -> None:
    await code_of_ivan(town)
    await town.ivan_writes("стоп")
    told = len(town.to_ivan())
    await town.later(hours=5)
    friend = await petr_buys(town, **{"Промокод друга": IVAN})
    await town.later(hours=1)
    assert len(town.to_ivan()) == told
    assert bonuses(town, friend) == [
        "По рекомендации выиграна сделка «Калитка Петра». Начислить вознаграждение: Иван Петров."
    ]


@configured(REWARD)
async def test_lost_answers_double_neither_the_task_nor_the_word(town: World) -> None:
    code = await code_of_ivan(town)
    town.amocrm.faults.add("/tasks$", method="POST", after=True, status=504, nth=1)
    town.whatsapp.faults.add("sendMessage", after=True, status=504, nth=1)
    friend = await petr_buys(town, **{"Промокод друга": code})
    await town.later(hours=1)
    await town.later(hours=1)
    assert len(bonuses(town, friend)) == 1
    assert town.to_ivan().count(TOLD) == 1


@configured({**REWARD, "delivery": {"preview": True}})
async def test_while_sending_waits_for_a_head_ivan_hears_nothing_of_his_friend_either(town: World) -> None:
    await town.links(await town.asked())
    greeted = len(town.in_telegram())
    friend = await petr_buys(town, **{"Промокод друга": IVAN})
    await town.later(hours=1)
    assert (len(bonuses(town, friend)), len(town.in_telegram())) == (1, greeted)
    await answer(town, "/plan")
    await town.taps("Включить отправку", "Анна")
    await town.later(minutes=20)
    assert len([text for text in town.in_telegram() if "советуете" in text]) == 1


@configured(REWARD)
async def test_a_bonus_that_was_given_up_in_doubt_is_looked_for_when_the_deal_changes(town: World) -> None:
    code = await code_of_ivan(town)
    town.amocrm.faults.add("/tasks$", method="POST", after=True, status=504, nth=1)
    friend = await petr_buys(town, **{"Промокод друга": code})
    async with town.db.transaction() as tx:
        (row,) = (await tx.exec(select(Outbox).where(Outbox.kind == "reward_task"))).all()
        assert row.uncertain
        row.state = OutboxState.GIVEN_UP  # After three days in which amoCRM answered nothing.
    town.clock.advance(timedelta(hours=1))
    town.amocrm.edit_lead(friend, price=5)
    await town.later(hours=1)
    assert len(bonuses(town, friend)) == 1


async def test_without_a_reward_nobody_is_told_and_no_task_is_made(town: World) -> None:
    code = await code_of_ivan(town)
    told = len(town.to_ivan())
    friend = await petr_buys(town, **{"Промокод друга": code})
    await town.later(hours=1)
    assert (len(town.to_ivan()), bonuses(town, friend)) == (told, [])


# --- for a person to look at -------------------------------------------------------------------------------


async def test_own_and_unknown_codes_are_listed_for_who_leads_and_for_nobody_else(town: World) -> None:
    code = await code_of_ivan(town)
    await town.ivan_writes("9")
    own = await town.closed_deal(name="Вторые ворота", fields={"Промокод друга": code})
    friend = await petr_buys(town, **{"Промокод друга": "от Васи"})
    town.clock.advance(timedelta(minutes=1))
    town.telegram.says("Анна", "/referrals")
    await town.step(pulls=False)
    assert town.to_anna()[-1].endswith(
        "В этих сделках код друга не сработал, посмотрите:\n"
        f"• Вторые ворота: свой же код, «{code}»\n{CARD.format(own)}\n"
        f"• Калитка Петра: неизвестный код или номер, «от Васи»\n{CARD.format(friend)}"
    )
    vera = {"telegram_id": 444444444, "name": "Вера", "role": "controller"}
    await town.restart(staff=[{"telegram_id": ANNA, "name": "Анна", "role": "head"}, vera])
    town.telegram.start(town.telegram.person("Вера", user_id=444444444))
    for command in ("/referrals", "/report", "/nps", "/complaints"):
        town.clock.advance(timedelta(minutes=1))
        town.telegram.says("Вера", command)
        await town.step(pulls=False)
    told = "\n".join(town.in_telegram("Вера"))
    assert "Самая старая" in told or "Рекламаций не было" in told
    assert [text for text in ("Петр", "Вторые", "9140000001", "Вася", code, "/leads/") if text in told] == []
