"""The worker dies while it renews its access to amoCRM, where a refresh token works once."""

import pytest

from tests.faults import points
from tests.faults.laws import Laws
from tests.faults.points import When, has_died
from tests.stories.company import Company, until

pytestmark = pytest.mark.timeout(900)  # many starts, perhaps on a busy machine

REFUSED = {"status": 401, "json": {"title": "Unauthorized", "status": 401}}
OAUTH = {
    "token": "",
    "client_id": "7f3a1c9e-client",
    "client_secret": "made-up-client-secret",
    "redirect_uri": "https://app.example/cb",
}


def authorize(shop: Company) -> None:
    """The worker shall live on a pair of tokens; they are as private as any other."""
    shop.settle(amocrm=OAUTH)
    shop.private |= {"made-up-client-secret", "eyJ0made.access", "def50refresh", "def50code"}
    done = shop.sarafan("auth", shop.amocrm.do("issue_code"))
    assert done.returncode == 0, done.stderr


def trouble(shop: Company) -> list[str]:
    """What the head is told besides low scores."""
    return [text for one in shop.bot_wrote() if not (text := str(one["text"])).startswith("Низкая оценка")]


@pytest.mark.parametrize("when", [pytest.param("arrived", marks=pytest.mark.long), "processed", "answered"])
def test_killed_while_it_renews_its_token_it_goes_on_or_says_so_within_a_minute(
    laws: Laws, when: When
) -> None:
    shop = laws.shop
    authorize(shop)
    shop.start()
    shop.wait_until_ready()
    asked = points.TOKENS.times(shop)
    points.TOKENS.kills(shop, when)
    shop.amocrm.breaks(r"/api/v4/", **REFUSED)  # as if the access token were over
    has_died(shop)
    shop.start()
    deal = laws.won_deal()
    until(lambda: laws.questions_to(deal) or trouble(shop), "a question, or an alert", within=90)
    assert len(trouble(shop)) <= 1
    assert points.TOKENS.times(shop) - asked <= 2
    laws.nobody_was_asked_twice()
    laws.the_pace_was_kept()
    laws.nothing_private_was_told()


def test_killed_at_the_first_use_of_a_new_token_it_still_has_it(laws: Laws) -> None:
    """It is on disk before it is used: the old pair is worth nothing any more."""
    shop = laws.shop
    authorize(shop)
    shop.start()
    shop.wait_until_ready()
    asked, pulled = points.TOKENS.times(shop), points.PAGE.times(shop)
    until(lambda: points.PAGE.times(shop) > pulled, "a page of deals")  # a second is left until the next
    pulled = points.PAGE.times(shop)
    # That one is refused, for the old access is over; and asked for again with the new one.
    points.PAGE.kills(shop, "arrived", nth=2)
    shop.amocrm.do("expire_access")
    has_died(shop)
    assert points.TOKENS.times(shop) == asked + 1
    assert points.PAGE.times(shop) >= pulled + 2
    shop.start()
    deal = laws.won_deal()
    laws.wait_for_question(deal)
    assert trouble(shop) == []
    assert points.TOKENS.times(shop) == asked + 1
    laws.replies(deal, 9)
    laws.hold()
