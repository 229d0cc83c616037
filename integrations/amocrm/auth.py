"""OAuth beside the long-lived token: a pair that is changed for a new one before it ends, and is never lost.

A refresh token works once, so the answer to a refresh is the only copy of the new pair. Therefore: one
refresher at a time; «refreshing since» is on disk before the request, the new pair before its first use; and
a refresh whose answer was lost is repeated once, after a while.

https://www.amocrm.ru/developers/content/oauth/step-by-step
"""

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from integrations.amocrm.answers import SERVICE, explain
from integrations.errors import AccessDenied, OutsideError, Permanent, Temporary, Uncertain
from integrations.http import Answer, Http, LeftAlone, OnResult
from integrations.pace import Pace

PATH = "/oauth2/access_token"
SECOND_TRY = timedelta(minutes=5)  # after a refresh whose answer was lost
LATER_TRIES = timedelta(hours=1)  # and only when the access token has ended
AFTER_NOTHING = timedelta(minutes=1)  # after a refresh that did not even arrive
IN_FLIGHT = timedelta(seconds=30)  # so long another worker may still be at it
KEEP_PREVIOUS = timedelta(days=1)
TRIES_TO_KEEP = 5
REMEDY = "Take a new code from the card of the integration and run `sarafan auth CODE`."
CHECK_KEYS = (
    "Check amocrm.client_id, client_secret and redirect_uri: they stand in the card of the integration."
)

log = logging.getLogger(__name__)


class TokenStore(Protocol):
    """Where the pair is kept, on disk and for all workers."""

    async def load(self) -> tuple[Mapping[str, Any] | None, int]:
        """What is kept, and its version."""

    async def swap(self, value: Mapping[str, Any], version: int) -> bool:
        """Keep this as the next version, if what is kept is still `version`; on disk when it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What OAuth needs. `may_renew=False` is for a copy of the storage: what is renewed there is lost."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str  # exactly as in the card of the integration
    store: TokenStore
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    may_renew: bool = True


class LoginState(StrEnum):
    GOOD = "good"
    MISSING = "missing"  # `sarafan auth` has not been run yet
    UNSURE = "unsure"  # the answer to a refresh was lost
    DEAD = "dead"  # the refresh token is refused: a person has to authorize again
    KEYS = "keys"  # client_id or client_secret are refused


class CodeRefused(Permanent):
    """amoCRM gives no pair for this code or refresh token. `is_client`: because of the integration's keys."""

    def __init__(self, *, is_client: bool, status: int) -> None:
        super().__init__(
            SERVICE,
            f"does not know the integration by these keys ({status})"
            if is_client
            else f"does not accept the code or the refresh token ({status})",
            remedy=CHECK_KEYS if is_client else REMEDY,
            status=status,
        )
        self.is_client = is_client


class Pair(BaseModel):
    """An access token (a day) and the refresh token (three months, once) that brings the next pair."""

    model_config = ConfigDict(frozen=True)

    access_token: str = Field(repr=False, min_length=1)
    refresh_token: str = Field(repr=False, min_length=1)
    issued_at: datetime
    expires_at: datetime

    @property
    def half_life(self) -> datetime:
        return self.issued_at + (self.expires_at - self.issued_at) / 2


class Kept(BaseModel):
    """As it stands in the store."""

    model_config = ConfigDict(frozen=True)

    pair: Pair | None = None
    previous: tuple[Pair, ...] = ()
    refreshing_since: datetime | None = None  # a refresh left, and what became of it is not recorded
    tries: int = 0  # refreshes of this pair of which nobody knows the outcome
    is_dead: bool = False


class _Granted(BaseModel):
    access_token: str = Field(min_length=1)
    refresh_token: str = Field(min_length=1)
    expires_in: int = Field(gt=0)


class OAuth:
    """Gives the access token for each request, and sees to it that there is one."""

    def __init__(
        self,
        login: Login,
        base_url: str,
        *,
        pace: Pace,
        transport: httpx.AsyncBaseTransport | None = None,
        on_result: OnResult | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._login = login
        self._http = Http(
            SERVICE, base_url, pace=pace, transport=transport, on_result=on_result, explain=_explain
        )
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._kept: Kept | None = None  # as last read or written
        self._version = 0
        self._unsaved: tuple[Pair, Pair] | None = None  # granted and not on disk yet; in place of which
        self._not_before: datetime | None = None
        self._lost_answer = False
        self._keys_refused = False
        self.is_stuck = False  # an access token was refused, and there is no other now

    async def close(self) -> None:
        await self._http.close()

    @property
    def state(self) -> LoginState | None:
        """None while nobody has asked for a token yet."""
        kept = self._kept
        if kept is None:
            return None
        if kept.pair is None:
            return LoginState.MISSING
        if kept.is_dead:
            return LoginState.DEAD
        if self._keys_refused:
            return LoginState.KEYS
        since = kept.refreshing_since
        is_lost = since is not None and (self._lost_answer or self._login.now() - since >= IN_FLIGHT)
        return LoginState.UNSURE if is_lost and not self._lock.locked() else LoginState.GOOD

    async def token(self) -> str:
        """The access token. At half-life it is renewed first, so that hours are left if that goes wrong.

        Raises AccessDenied, without asking amoCRM, when a person has to authorize again.
        """
        pair = await self._pair()
        is_over = self._login.now() >= pair.expires_at
        # While one renews, the others go on with what they have, as long as it is good.
        if self._is_time(pair) and (is_over or not self._lock.locked()):
            try:
                await self._renew(pair.access_token)
            except OutsideError as error:
                if _needs_a_person(error):
                    raise
                log.warning("the token of amoCRM is not renewed yet: %s", error)
            pair = await self._pair()
        return pair.access_token

    async def after_refusal(self, refused: str) -> str | None:
        """Another access token in place of one that was refused with 401; None when there is none now."""
        fresh = None
        if self._login.may_renew:
            try:
                await self._wait_for_others(refused)
                fresh = await self._renew(refused)
            except OutsideError as error:
                if _needs_a_person(error):
                    raise
                log.warning("the token of amoCRM is refused and not renewed yet: %s", error)
        self.is_stuck = fresh is None
        return fresh

    async def authorize(self, code: str) -> None:
        """Exchange an authorization code, which works once and for 20 minutes, and keep the pair.

        Raises CodeRefused, Uncertain when the code may be used up, Temporary when it is still good.
        """
        async with self._lock:
            kept = await self._load()
            # What could not be kept must not be asked for.
            if not await self._swap(kept):
                raise Temporary(SERVICE, "is being authorized by somebody else at this moment")
            asked_at = self._login.now()
            granted = await self._ask({"grant_type": "authorization_code", "code": code})
            pair = _pair_of(granted, asked_at)
            for _ in range(TRIES_TO_KEEP):
                if await self._swap(self._after(await self._load(), pair)):
                    return
            raise Temporary(SERVICE, "gave a pair that could not be kept: others change it all the time")

    # Renewing

    async def _pair(self) -> Pair:
        kept = self._kept
        if kept is None or kept.pair is None or kept.is_dead:
            kept = await self._load()  # `sarafan auth` may have brought one meanwhile.
        if kept.pair is None:
            raise AccessDenied(SERVICE, "has not been authorized yet", remedy=REMEDY, status=401)
        if kept.is_dead:
            raise AccessDenied(SERVICE, "has to be authorized again", remedy=REMEDY, status=401)
        return kept.pair

    def _is_time(self, pair: Pair) -> bool:
        if self._unsaved is not None:
            return True
        return self._login.may_renew and self._login.now() >= max(pair.half_life, self._earliest())

    def _earliest(self) -> datetime:
        """When the next refresh may leave."""
        kept, earliest = self._kept, self._not_before or datetime.min.replace(tzinfo=UTC)
        if kept is None or kept.pair is None or kept.refreshing_since is None:
            return earliest
        if kept.tries < 2:
            return max(earliest, kept.refreshing_since + SECOND_TRY)
        # It was repeated once. A third time only when there is nothing to lose any more.
        return max(earliest, kept.refreshing_since + LATER_TRIES, kept.pair.expires_at)

    async def _wait_for_others(self, refused: str) -> None:
        """Another worker may be about to bring a new pair."""
        while not self._lock.locked() and not self._lost_answer:
            kept = await self._load()
            since = kept.refreshing_since
            is_ours = kept.pair is not None and kept.pair.access_token == refused
            if not is_ours or since is None or self._login.now() - since >= IN_FLIGHT:
                return
            await self._sleep(1)

    async def _renew(self, old: str) -> str | None:
        """Another access token than `old`; None when none can be had now."""
        async with self._lock:
            if self._unsaved is not None:
                await self._save(*self._unsaved)
            kept = await self._load()  # Another worker, or whoever held the lock, may have been first.
            pair = await self._pair()
            if pair.access_token != old:
                return pair.access_token
            if self._keys_refused or self._login.now() < self._earliest():
                return None
            return await self._refresh(kept, pair)

    async def _refresh(self, kept: Kept, pair: Pair) -> str | None:
        now = self._login.now()
        begun = kept.model_copy(update={"refreshing_since": now, "tries": kept.tries + 1})
        if not await self._swap(begun):
            return await self._adopt(pair)
        try:
            granted = await self._ask({"grant_type": "refresh_token", "refresh_token": pair.refresh_token})
        except Uncertain:
            self._lost_answer = True
            raise
        except CodeRefused as error:
            if (newer := await self._adopt(pair)) is not None:
                return newer
            if error.is_client:
                # The pair may be good: after the keys are set right and a restart it is tried again.
                log.error("%s. %s", error, error.remedy)
                self._keys_refused = True
                await self._swap(kept)
                return None
            await self._swap(begun.model_copy(update={"is_dead": True}))
            raise AccessDenied(SERVICE, error.detail, remedy=error.remedy, status=401) from error
        except (Temporary, Permanent):  # Nothing happened: as if it had never been tried.
            self._not_before = now + AFTER_NOTHING
            await self._swap(kept)
            raise
        self._unsaved = (_pair_of(granted, now), pair)
        return await self._save(*self._unsaved)

    async def _save(self, fresh: Pair, old: Pair) -> str:
        """Before its first use. A pair that `sarafan auth` brought meanwhile is newer, and stays."""
        while (kept := self._kept or Kept()).pair == old and not await self._swap(self._after(kept, fresh)):
            log.info("the new token of amoCRM is kept at the next try")
        self._unsaved, self._lost_answer, self.is_stuck = None, False, False
        return (await self._pair()).access_token

    async def _adopt(self, old: Pair) -> str | None:
        """The access token of a newer pair than `old`, if somebody has brought one."""
        pair = (await self._load()).pair
        return pair.access_token if pair is not None and pair.refresh_token != old.refresh_token else None

    def _after(self, kept: Kept, pair: Pair) -> Kept:
        """The new pair in place of the old one, which is kept for a day."""
        since = self._login.now() - KEEP_PREVIOUS
        old = [] if kept.pair is None else [kept.pair]
        return Kept(pair=pair, previous=(*old, *(one for one in kept.previous if one.expires_at > since)))

    # The store and the far side

    async def _load(self) -> Kept:
        value, version = await self._login.store.load()
        try:
            kept = Kept.model_validate(value or {})
        except ValidationError:
            kept = Kept()  # by another version of the program
        if version != self._version:
            self._lost_answer = False
        self._kept, self._version = kept, version
        return kept

    async def _swap(self, kept: Kept) -> bool:
        if await self._login.store.swap(kept.model_dump(mode="json"), self._version):
            self._kept, self._version = kept, self._version + 1
            return True
        await self._load()
        return False

    async def _ask(self, grant: Mapping[str, str]) -> _Granted:
        """Once; a second time only if the connection was never made."""
        body = {
            "client_id": self._login.client_id,
            "client_secret": self._login.client_secret,
            **grant,
            "redirect_uri": self._login.redirect_uri,
        }
        try:
            answer = await self._http.send("POST", PATH, json=body, what="token")
        except LeftAlone:
            raise
        except Temporary as error:
            if error.status is not None:
                raise
            await self._sleep(1)
            answer = await self._http.send("POST", PATH, json=body, what="token")
        try:
            return _Granted.model_validate(self._http.parse(answer))
        except ValidationError:
            # From None: the error carries the tokens.
            raise Uncertain(SERVICE, "answered without a pair of tokens", status=answer.status) from None


def token_ends(token: str) -> datetime | None:
    """`exp` of a JSON Web Token; None for anything else."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _pair_of(granted: _Granted, asked_at: datetime) -> Pair:
    """Its life counts from the moment we asked, the earliest at which it may have begun."""
    return Pair(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        issued_at=asked_at,
        expires_at=asked_at + timedelta(seconds=granted.expires_in),
    )


def _needs_a_person(error: OutsideError) -> bool:
    return isinstance(error, AccessDenied) and error.status == 401


def _explain(answer: Answer) -> OutsideError | None:
    """A refused grant names its hint; without one it is the integration that amoCRM does not know."""
    if answer.status not in (400, 401) or not answer.is_json:
        return explain(answer)
    try:
        body = answer.json()
    except ValueError:
        body = None
    has_hint = isinstance(body, Mapping) and bool(body.get("hint"))
    return CodeRefused(is_client=not has_hint, status=answer.status)
