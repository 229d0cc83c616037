"""The worker as a service: its flows, woken by the clock and by one another, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from integrations.channels.base import Channel, Hooked, Introduced, Polled, Raw
from integrations.channels.hooks import is_hooked
from integrations.errors import AccessDenied, OutsideError, Taken
from storage import outbox, sending
from storage.copy import is_unfinished
from storage.database import Database
from storage.errors import StorageError
from worker.account.resolve import AccountProblems
from worker.actions.base import Hands
from worker.actions.channel_watch import note_hook
from worker.app import App
from worker.config.settings import Settings
from worker.flows.act import LANES, act, kinds_of, let_go
from worker.flows.calls import draw_calls, remind_of_cards
from worker.flows.follow import follow
from worker.flows.history import NOT_YET
from worker.flows.listen import listen
from worker.flows.observe import observe
from worker.flows.receive import LONG_POLL, receive
from worker.flows.send import send
from worker.rules.backoff import next_try
from worker.web.server import CannotListen, Server, build_app
from worker.web.webhooks import Hooks, header_secret, hook_path

log = logging.getLogger(__name__)

TICKS: Mapping[str, timedelta] = {
    "send": timedelta(seconds=5),
    "listen": timedelta(seconds=5),
    "act": timedelta(seconds=2),
    "follow": timedelta(seconds=30),
    "observe": timedelta(minutes=5),
}
SLOWLY = 1.0  # seconds before each request that nobody waits for
GRACE = 4.0  # seconds for what is in flight when we are told to stop; ten are all that we have
TICK_BESIDE_OTHERS = timedelta(seconds=1)  # a reply that another worker stored wakes nobody here
LOOK_AROUND = 2.0  # seconds between looks at who of the other workers lives
LOOK_ALONE = 30.0  # seconds; without others only what we ourselves could not finish is looked for
GONE_FOR = timedelta(seconds=10)  # a living worker whose connection was cut is back by then
REGISTER_AGAIN = 3600.0  # seconds
LOOK_AT_CLOCK = 5.0  # seconds
AFTER_TROUBLE = 2.0  # seconds until a flow that the database failed tries again


class Service:
    """Runs one `App` until it is told to stop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.hands = app.hands
        self.health = app.health
        self.is_stopping = asyncio.Event()
        self.exit_code = 0
        self._look_for_trouble = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def serve(self) -> int:
        """Work until told to stop; gives the exit code."""
        self._listen_to_signals()
        # On PostgreSQL others may live and only be cut off for a moment: `_look_around` finds the dead.
        await self._app.recover(timedelta(0) if self.hands.db.is_sqlite else GONE_FOR)
        server = Server(
            build_app(
                self.health,
                webhook_secret=self._app.settings.http.webhook_secret.get_secret_value(),
                wake_pull=self.hands.wake.pull.set,
                hooks=Hooks(
                    {name: one for name, one in self.hands.channels.items() if isinstance(one, Hooked)},
                    self._keep,
                ),
                show=self._app.dashboard.show,
            ),
            self._app.settings.http.listen_host,
            self._app.settings.http.listen_port,
        )
        server.start()
        log.info("listening on %s", self._app.settings.http.listen)
        scheduler = self._schedule()
        self._start_flows()
        scheduler.start()
        self._tasks.append(asyncio.create_task(self._mind_the_clock(scheduler), name="mind the clock"))
        try:
            await self.is_stopping.wait()
        finally:
            log.info("stopping")
            scheduler.shutdown(wait=False)
            await asyncio.gather(
                self._end_flows(), server.stop()
            )  # one after the other might take ten seconds
        return self.exit_code

    def stop(self, exit_code: int = 0) -> None:
        self.exit_code = self.exit_code or exit_code
        self.is_stopping.set()
        self.hands.wake.stop()
        self._look_for_trouble.set()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._on_signal)

    def _on_signal(self) -> None:
        if self.is_stopping.is_set():
            os._exit(0)  # Told twice: leave now; the database is right anyway.
        self.stop()

    def _schedule(self) -> AsyncIOScheduler:
        """It only wakes flows. Its defaults would drop a run that is a second late."""
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        wake = self.hands.wake
        events = {
            "pull": wake.pull,
            "send": wake.send,
            "listen": wake.listen,
            "act": wake.act,
            "follow": wake.follow,
            "observe": wake.observe,
        }
        every = {"pull": self._app.settings.amocrm.poll_interval, **TICKS}
        if not self.hands.db.is_sqlite:
            every["listen"] = TICK_BESIDE_OTHERS
        for flow, event in events.items():
            seconds = every[flow].total_seconds()
            scheduler.add_job(_in_the_loop, "interval", [event.set], seconds=seconds, id=flow)
        scheduler.add_job(_in_the_loop, "interval", [self.health.tick], seconds=2, id="tick")
        scheduler.add_job(_in_the_loop, "interval", [self._look_for_trouble.set], seconds=2, id="watch")
        return scheduler

    async def _mind_the_clock(self, scheduler: AsyncIOScheduler) -> None:
        """APScheduler waits by the wall clock: set back by an hour, it would let nothing tick for an hour."""
        watch = self.hands.clock_watch
        while not self.is_stopping.is_set():
            await self._rest(LOOK_AT_CLOCK)
            if watch and not watch.is_right() and watch.off_by is None:
                log.warning("the clock of this machine jumped; amoCRM is asked what time it is")
                self.hands.wake.pull.set()
            now = datetime.now(UTC)
            # The jobs themselves tell: a clock that went forth and back between two looks shows nothing.
            for job in scheduler.get_jobs():
                if job.next_run_time > now + job.trigger.interval + timedelta(seconds=LOOK_AT_CLOCK):
                    job.modify(next_run_time=now)

    def _start_flows(self) -> None:
        wake = self.hands.wake
        self.health.tick()
        self._run("pull", wake.pull, self._app.pull)
        self._run(
            "send",
            wake.send,
            partial(self._if_known, send, role="send"),
            mend=lambda: sending.let_go(self.hands.db, self.hands.now()),
        )
        self._run("listen", wake.listen, partial(self._if_known, listen, role="listen"))
        self._run("watch", self._look_for_trouble, self._app.watch.look)
        self._run("follow", wake.follow, partial(self._if_known, follow))
        self._run("observe", wake.observe, partial(self._if_known, self._observe, role="observe"))
        for lane in LANES:
            event = asyncio.Event()
            wake.act_lanes[lane] = event
            run = partial(act, lane=lane)
            # An account that cannot be read is a trouble to tell of.
            flow = partial(self._tell, run) if lane == "trouble" else partial(self._if_known, run)
            self._run(
                f"act {lane}",
                event,
                flow,
                mend=partial(let_go, self.hands, lane),
            )
        for channel in self.hands.channels.values():
            if is_hooked(channel):
                self._tasks.append(
                    asyncio.create_task(self._register(channel), name=f"register {channel.name}")
                )
            elif isinstance(channel, Polled):
                self._tasks.append(
                    asyncio.create_task(self._receive(channel), name=f"receive {channel.name}")
                )
        if self._app.history.is_wanted:
            self._tasks.append(asyncio.create_task(self._read_past(), name="history"))
        self._tasks.append(asyncio.create_task(self._fan_out(), name="wake act"))
        self._tasks.append(asyncio.create_task(self._look_around(), name="look around"))

    def _run(
        self,
        name: str,
        event: asyncio.Event,
        flow: Callable[[], Awaitable[None]],
        mend: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`mend` is done before the next run of a flow that ended in the middle."""
        self._tasks.append(asyncio.create_task(self._loop(name, event, flow, mend), name=name))

    async def _loop(
        self,
        name: str,
        event: asyncio.Event,
        flow: Callable[[], Awaitable[None]],
        mend: Callable[[], Awaitable[None]] | None,
    ) -> None:
        is_torn = False
        while not self.is_stopping.is_set():
            event.clear()
            try:
                if is_torn and mend:
                    await mend()
                is_torn = True
                await flow()
                is_torn = False
            except OutsideError as error:
                self.health.set_error(error.service, str(error))
                log.warning("%s waits: %s", name, error)
            except AccountProblems as problems:
                sys.stderr.write(f"{problems}\n")
                self.stop(exit_code=2)
            except StorageError as error:
                self.health.set_trouble("storage", str(error))
                log.error("%s waits: %s", name, error)
                asyncio.get_running_loop().call_later(AFTER_TROUBLE, event.set)
            except Exception:
                # A flow never dies: the next tick tries again, and readiness tells that it fails.
                log.exception("%s failed", name)
            else:
                self.health.set_trouble("storage", "")
            if is_torn and mend:  # What it holds nobody else may take, and nothing may fall due to wake it.
                asyncio.get_running_loop().call_later(AFTER_TROUBLE, event.set)
            await event.wait()

    async def _tell(self, flow: Callable[[Hands], Awaitable[int]]) -> None:
        await flow(self.hands)

    async def _observe(self, hands: Hands) -> int:
        rest = partial(self._rest, SLOWLY)
        try:
            return await observe(hands, rest)
        finally:  # Whatever keeps chats from being read keeps no controller waiting.
            await draw_calls(hands, rest)
            await remind_of_cards(hands)

    async def _if_known(self, flow: Callable[[Hands], Awaitable[int]], role: str = "") -> None:
        if self.hands.account is not None and (not role or await self._app.has(role)):
            await flow(self.hands)

    async def _look_around(self) -> None:
        """Show that we live, stand by for the pull, take over what the dead held."""
        has_pull: bool | None = None
        while not self.is_stopping.is_set():
            try:
                had_pull, has_pull = has_pull, await self.hands.db.hold("pull")
                if has_pull and had_pull is False:  # It was another's, or we do not know whose.
                    self.hands.wake.pull.set()
                await self._app.take_over(GONE_FOR)
            except StorageError as error:
                has_pull = False
                log.warning("the other workers cannot be seen: %s", error)
            except Exception:
                log.exception("the other workers cannot be seen")
            await self._rest(LOOK_AROUND if not self.hands.db.is_sqlite else LOOK_ALONE)

    async def _read_past(self) -> None:
        """Slowly, beside everything else, until all is read."""
        while not self.is_stopping.is_set():
            rest: timedelta | None = NOT_YET
            try:
                if self.hands.account is not None and await self._app.has("pull"):
                    rest = await self._app.history.step()
            except (OutsideError, StorageError) as error:
                log.warning("history waits: %s", error)
            except Exception:
                log.exception("history waits")
            if rest is None:
                return
            await self._rest(rest.total_seconds())

    async def _fan_out(self) -> None:
        """One look for all lanes, of which most have nothing to do most of the time: a claim writes."""
        wake = self.hands.wake
        while not self.is_stopping.is_set():
            await wake.act.wait()
            wake.act.clear()
            try:
                due = await outbox.kinds_due(self.hands.db, self.hands.now())
            except StorageError as error:
                log.error("what is to be done cannot be seen: %s", error)
                asyncio.get_running_loop().call_later(AFTER_TROUBLE, wake.act.set)
                continue
            if not due:
                self.health.mark("act", self.hands.now())
            for lane, event in wake.act_lanes.items():
                if due.intersection(kinds_of(lane)):
                    event.set()

    async def _receive(self, channel: Channel) -> None:
        """Polls for ever: a channel that is down costs a line in the log and a pause, nothing else."""
        failures = 0
        has_heard = is_refused = False
        while not self.is_stopping.is_set():
            try:
                if channel.name not in self._app.is_set_up:
                    await channel.start()
                    self._app.is_set_up.add(channel.name)
                    self.health.mark(f"poll_{channel.name}", self.hands.now())  # It answers.
                if not await self._app.has(f"poll_{channel.name}"):
                    await self._rest(LOOK_AROUND)
                    continue
                # The first look is a short one: readiness need not wait for a long poll to end.
                wait = LONG_POLL if has_heard else timedelta(0)
                await receive(self.hands, channel, self._app.inbox, wait)
                if not has_heard:
                    await self._introduce(channel)
                has_heard = True
                self.health.set_token(channel.name, is_valid=True)
                self.health.set_trouble(channel.name, "")
                if is_refused:
                    await self._app.try_refused(channel.name)
                failures, is_refused = 0, False
                continue
            except AccessDenied as error:
                is_refused = True
                self.health.set_token(channel.name, is_valid=False)
                log.error("%s", error)
            except OutsideError as error:
                log.warning("%s cannot be heard: %s", channel.name, error)
                if failures > 3:
                    self.health.set_trouble(channel.name, error.detail)
            except StorageError as error:
                log.error("what %s brings is not taken yet: %s", channel.name, error)
            except Exception:
                log.exception("%s cannot be heard", channel.name)
            failures += 1
            await self._pause(failures)

    async def _keep(self, channel: str, updates: Sequence[Raw]) -> None:
        now = self.hands.now()
        await self._app.inbox.put(channel, updates, now)
        self.health.mark(f"hook_{channel}", now)

    async def _register(self, channel: Channel) -> None:
        """Have the service post to us, and look again by the hour: some forget an address that failed."""
        settings = self._app.settings.http
        secret = settings.webhook_secret.get_secret_value()
        failures, is_refused = 0, False
        while not self.is_stopping.is_set() and isinstance(channel, Hooked):
            place = channel.hook_place
            try:
                if channel.name not in self._app.is_set_up:
                    await channel.start()
                    self._app.is_set_up.add(channel.name)
                url = settings.public_url.rstrip("/") + hook_path(place, secret)
                await channel.register(url, header_secret(secret, place))
            except OutsideError as error:
                if isinstance(error, AccessDenied):
                    is_refused = True
                    self.health.set_token(channel.name, is_valid=False)
                self.health.set_trouble(channel.name, error.detail)
                log.error("%s does not post to us: %s", channel.name, error)
                if isinstance(error, Taken):
                    await self._tell_whose_hook(channel.name, error.by)
                failures += 1
                await self._pause(failures)
            except Exception:
                log.exception("%s does not post to us", channel.name)
                failures += 1
                await self._pause(failures)
            else:
                self.health.set_token(channel.name, is_valid=True)
                self.health.set_trouble(channel.name, "")
                if is_refused:
                    await self._app.try_refused(channel.name)
                failures, is_refused = 0, False
                await self._tell_whose_hook(channel.name, "")
                await self._introduce(channel)
                await self._rest(REGISTER_AGAIN)

    async def _introduce(self, channel: Channel) -> None:
        """Who meets the bot sees whose it is. A profile is no reason to hear nobody, so it may fail."""
        if not isinstance(channel, Introduced):
            return
        try:
            await channel.introduce(self.hands.texts.fill("bot.about"))
        except OutsideError as error:
            log.warning("the profile of the bot in %s stays as it is: %s", channel.name, error)

    async def _tell_whose_hook(self, channel: str, taken_by: str) -> None:
        try:
            async with self.hands.db.transaction() as tx:
                is_news = await note_hook(tx, self.hands, channel, taken_by)
        except StorageError as error:
            log.error("that the address is another's is not told yet: %s", error)
        else:
            if is_news:
                self.hands.wake.act.set()

    async def _pause(self, failures: int) -> None:
        now = self.hands.now()
        await self._rest(min((next_try(min(failures, 2), now, None) - now).total_seconds() / 5, 30.0))

    async def _rest(self, seconds: float) -> None:
        """For so long, unless we are told to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self.is_stopping.wait()
        except TimeoutError:
            return

    async def _end_flows(self) -> None:
        """What is in flight may end; what hangs is let go: its rows say that it may have happened."""
        for task in self._tasks:
            if task.get_name().startswith("receive"):
                task.cancel()  # A long poll has nothing to lose: it is read again.
        _, hanging = await asyncio.wait(self._tasks, timeout=GRACE)
        for task in hanging:
            log.warning("%s did not end in time", task.get_name())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _in_the_loop(call: Callable[[], None]) -> None:
    """APScheduler runs in a thread what is no coroutine, and an event set there may wake nobody."""
    call()


def run(settings: Settings) -> int:
    """`sarafan run`: the exit code."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    language = settings.company.language
    try:
        db = await Database.open(settings.storage.url, migrate=False)
    except StorageError as error:
        sys.stderr.write(f"{error.say(language)}\n")
        return 1
    try:
        await db.claim_instance()
        await db.migrate()
        if await is_unfinished(db):
            raise StorageError(
                "A copy into this database was broken off: run `sarafan copy-to` again first.",
                "Копия в эту базу не закончена: сперва повторите sarafan copy-to.",
            )
        app = await App.build(settings, db=db)
        try:
            return await Service(app).serve()
        finally:
            await app.close()
    except AccountProblems as problems:
        sys.stderr.write(f"{problems}\n")
        return 2
    except (StorageError, CannotListen) as error:
        sys.stderr.write(f"{error.say(language)}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await db.close()
