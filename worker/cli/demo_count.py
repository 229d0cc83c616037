"""What the demo's story comes to, counted by hand: from what people got, answered and did.

Compared with the report at the end: if the two differ, one of them is wrong.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from integrations.standins.amocrm_model import WON, Lead
from integrations.standins.town import Town
from worker.cli.demo_chats import WORTH, Chat
from worker.cli.demo_people import CODE, COMPLAINTS, Seen
from worker.cli.demo_town import BEGINS, ENDS, TITLES, Order
from worker.rules.formats import number, plural

TARGET, ENOUGH = 15, 5  # minutes, answers: as in the settings
DEALS = ("сделка", "сделки", "сделок")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One line of the final count. `pairs`: what was counted and what the report says, figure by figure."""

    title: str
    text: str
    pairs: tuple[tuple[object, object], ...]

    @property
    def is_right(self) -> bool:
        return all(counted == reported for counted, reported in self.pairs)

    @property
    def differences(self) -> str:
        return "; ".join(
            f"посчитано {counted}, в отчёте {reported}"
            for counted, reported in self.pairs
            if counted != reported
        )


@dataclass(slots=True)
class Tally:
    asked: Counter[str] = field(default_factory=Counter)  # questions that arrived, by their key
    questions: Counter[tuple[Order, str]] = field(default_factory=Counter)  # the same by deal and key
    scores: dict[str, list[int]] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)  # whom the script says not to be asked, by reason
    friends: list[Order] = field(default_factory=list)
    cards: list[tuple[str, ...]] = field(default_factory=list)  # the marks that each call was given
    orders: dict[str, Order] = field(default_factory=dict)  # what each client bought last

    def got(self, seen: Seen) -> None:
        self.codes |= {found[0] for found in CODE.finditer(seen.text)}
        if seen.question and not seen.is_reminder:
            self.asked[seen.question] += 1
            self.questions[self.orders[seen.to], seen.question] += 1

    def answered(self, key: str, score: int) -> None:
        self.scores.setdefault(key, []).append(score)

    def closed(self, order: Order) -> None:
        self.orders[order.client] = order
        if order.refused:
            self.refused[order.refused] += 1
        if order.friend is not None:
            self.friends.append(order)


def compare(tally: Tally, chats: Sequence[Chat], town: Town, report: Mapping[str, Any]) -> Sequence[Checked]:
    """`report` is that of `sarafan report --json`."""
    surveys = report["surveys"]
    return (
        _nps(tally, surveys["nps"]),
        *(_mean(tally, key, surveys[key]) for key in TITLES if key != "nps"),
        _once(tally, surveys),
        _complaints(town, report["complaints"]),
        _chats(chats, report["frt"]),
        _calls(tally, report["iqs"]),
        *_referrals(tally, town, report["referrals"]),
    )


def _nps(tally: Tally, said: Mapping[str, Any]) -> Checked:
    asked, scores = tally.asked["nps"], tally.scores.get("nps", [])
    high, low = sum(score >= 9 for score in scores), sum(score <= 5 for score in scores)
    neutral = len(scores) - high - low
    score = rounded(100 * (high - low) / len(scores))
    refused = sum(tally.refused.values())
    return Checked(
        title=TITLES["nps"],
        text=f"спросили {asked}, не спросили {refused}; ответили {len(scores)}: девяток и десяток {high}, "
        f"от шести до восьми {neutral}, от одного до пяти {low}. "
        f"({high} − {low}) : {len(scores)} × 100 = {number(score)}",
        pairs=(
            (asked, said["sent"]),
            (len(scores), said["answered"]),
            ((high, neutral, low), (said["promoters"], said["passives"], said["detractors"])),
            (score, said["score"]),
            (dict(sorted(tally.refused.items())), dict(sorted(said["not_sent"].items()))),
        ),
    )


def _mean(tally: Tally, key: str, said: Mapping[str, Any]) -> Checked:
    asked, scores = tally.asked[key], tally.scores.get(key, [])
    mean = rounded(sum(scores) / len(scores))
    return Checked(
        title=TITLES[key],
        text=f"спросили {asked}, ответили {len(scores)}, в сумме {sum(scores)}. "
        f"{sum(scores)} : {len(scores)} = {number(mean)}",
        pairs=((asked, said["sent"]), (len(scores), said["answered"]), (mean, said["mean"])),
    )


def _once(tally: Tally, said: Mapping[str, Mapping[str, Any]]) -> Checked:
    asked, most = sum(tally.asked.values()), max(tally.questions.values())
    return Checked(
        title="Никого не спросили дважды",
        text=f"вопросов пришло {asked}, разных по сделке и теме {len(tally.questions)}",
        pairs=(
            (len(tally.questions), sum(said[key]["sent"] for key in TITLES)),
            (most, 1),
        ),
    )


def _complaints(town: Town, said: Mapping[str, Any]) -> Checked:
    leads = town.amocrm.leads_in(COMPLAINTS)
    lasted = [lead.closed_at - lead.created_at for lead in leads if lead.closed_at is not None]
    days = number(sum(lasted) / len(lasted) / 86_400, places=1)
    return Checked(
        title=COMPLAINTS,
        text=f"в воронке {len(leads)} {plural(len(leads), DEALS)}, закрыто {len(lasted)}, "
        f"открыто {len(leads) - len(lasted)}; решали в среднем {days} суток",
        pairs=(
            (len(leads), said["opened"]),
            (len(lasted), said["closed"]),
            (len(leads) - len(lasted), said["open_now"]),
            (round(sum(lasted) / len(lasted)), round(said["resolution_mean"])),
        ),
    )


def _chats(chats: Sequence[Chat], said: Mapping[str, Any]) -> Checked:
    """All of them in working hours, and answered on the same day: minutes are minutes of work."""
    took = sorted(chat.after for chat in chats if chat.after is not None)
    soon = sum(after <= TARGET for after in took)
    half = median(took)
    people = {
        name: [chat.after for chat in chats if chat.manager == name and chat.after is not None]
        for name in sorted({chat.manager for chat in chats})
    }
    return Checked(
        title="Скорость первого ответа",
        text=f"клиенты спросили {len(chats)} раз, ответили {len(took)}, из них за {TARGET} минут — {soon}; "
        f"половину — за {number(half)} минут",
        pairs=(
            (len(took), said["answered"]),
            (len(chats) - len(took), said["unanswered"]),
            (soon, said["within"]),
            (60 * half, said["business_median"]),
            (
                {name: 60 * median(of) if len(of) >= ENOUGH else None for name, of in people.items()},
                {name: of["business_median"] for name, of in sorted(said["by_manager"].items())},
            ),
        ),
    )


def _calls(tally: Tally, said: Mapping[str, Any]) -> Checked:
    worth = [[WORTH[mark] for mark in marks if mark in WORTH] for marks in tally.cards]
    scores = [100 * sum(marks) / len(marks) for marks in worth]
    mean = rounded(sum(scores) / len(scores))
    return Checked(
        title="Качество звонков (IQS)",
        text=f"руководитель оценил {len(scores)}, в среднем {number(mean)} из 100",
        pairs=((len(scores), said["reviews"]), (mean, said["score"])),
    )


def _referrals(tally: Tally, town: Town, said: Mapping[str, Any]) -> Iterator[Checked]:
    won = list(_won(town))
    friends = [order for order in tally.friends if order.friend and order.friend.counts]
    share = rounded(100 * len(friends) / len(won))
    money = sum(lead.price for lead in won)
    from_friends = sum(order.price for order in friends)
    yield Checked(
        title="Рекомендации",
        text=f"выиграно {len(won)} {plural(len(won), DEALS)} на {number(money)} ₽, от друзей {len(friends)} "
        f"на {number(from_friends)} ₽. {len(friends)} : {len(won)} = {number(share)} %",
        pairs=(
            (len(won), said["won_deals"]),
            (len(friends), said["referral_deals"]),
            (share, said["share"]),
            (money, said["won_amount"]),
            (from_friends, said["referral_amount"]),
        ),
    )
    used = {order.friend.of for order in friends if order.friend and order.friend.by in ("code", "slip")}
    yield Checked(
        title="Промокоды",
        text=f"клиентам пришло {len(tally.codes)} разных, друзья назвали {len(used)}",
        pairs=((len(tally.codes), said["codes_issued"]), (len(used), said["codes_redeemed"])),
    )


def _won(town: Town) -> Iterator[Lead]:
    complaints = town.amocrm.pipeline(COMPLAINTS).id
    begins, ends = BEGINS.timestamp(), ENDS.timestamp()
    for lead in town.amocrm.leads.values():
        is_sale = lead.pipeline_id != complaints and lead.status_id == WON and not lead.is_deleted
        if is_sale and lead.closed_at is not None and begins <= lead.closed_at < ends:
            yield lead


def rounded(value: float) -> float:
    """To two places, halves away from zero, as the report does."""
    hundredths = int(abs(value) * 100 + 0.5 + 1e-9)
    return (hundredths if value >= 0 else -hundredths) / 100
