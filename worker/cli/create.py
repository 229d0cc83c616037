"""What the amoCRM account lacks for these settings, created after it was shown: `setup`."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from worker.cli.common import AsJson, Config, fail, read_settings, say
from worker.cli.outside import explained, happened
from worker.cli.usage import FAILED

if TYPE_CHECKING:
    import httpx

    from integrations.amocrm.client import AmoCrm
    from integrations.errors import OutsideError
    from worker.cli.lacking import Item, Lacking, Subscription
    from worker.config.settings import Settings

Yes = Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Create it without asking.")]
State = Literal["missing", "created", "failed", "unsure"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing that was lacking; `trouble` says why it failed, and what to do."""

    item: "Item"
    state: State = "missing"
    trouble: str = ""


def setup(config: Config = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Create the deal fields, the complaints pipeline and the webhook that amoCRM lacks."""
    from integrations.errors import OutsideError

    settings = read_settings(config, log_level="warning")
    try:
        lacking, outcomes = asyncio.run(
            set_up(
                settings,
                may_create=lambda found: yes if as_json else agreed(settings, found, yes=yes),
                tell=(lambda _: None) if as_json else (lambda outcome: print_outcome(settings, outcome)),
            )
        )
    except OutsideError as error:
        fail(explained(settings, error))
    is_done = not lacking.problems and all(outcome.state == "created" for outcome in outcomes)
    if as_json:
        typer.echo(answer_of(lacking, outcomes, is_done))
    elif any(outcome.state != "missing" for outcome in outcomes):
        typer.echo(_summary(settings, outcomes))
    elif not outcomes:
        for problem in lacking.problems:
            typer.echo(f"! {problem}", err=True)
        if not lacking.problems:
            typer.echo(say(
                settings, "Всё на месте, создавать нечего.", "Everything is there, there is nothing to do.",
            ))  # fmt: skip
    if not is_done:
        raise typer.Exit(FAILED)


async def set_up(
    settings: "Settings",
    *,
    may_create: "Callable[[Lacking], bool]",
    tell: Callable[[Outcome], None],
    transports: "Mapping[str, httpx.AsyncBaseTransport] | None" = None,
    requests_per_second: float = 2,
) -> "tuple[Lacking, list[Outcome]]":
    """Look, ask `may_create`, create one after another and `tell` of each. `transports` for tests.

    Raises OutsideError when the account cannot be read; what cannot be created is an Outcome. Two requests
    a second, for a worker may be running, and amoCRM allows seven.
    """
    from worker.account.dictionaries import read
    from worker.app import open_amocrm
    from worker.cli.lacking import what_is_lacking
    from worker.cli.setup import tokens_of

    async with tokens_of(settings) as tokens:
        amocrm = open_amocrm(
            settings,
            tokens,
            requests_per_second=requests_per_second,
            transport=(transports or {}).get("amocrm"),
        )
        try:
            known = await read(amocrm)
            lacking = what_is_lacking(settings, known, await _webhooks(settings, amocrm))
            outcomes = [Outcome(item) for item in lacking.items]
            if outcomes and may_create(lacking):
                outcomes = await _create(settings, amocrm, lacking, tell)
        finally:
            await amocrm.close()
    return lacking, outcomes


async def _webhooks(settings: "Settings", amocrm: "AmoCrm") -> "tuple[Subscription, ...] | str":
    """Everybody's; a sentence where they cannot be seen; () where none is wanted."""
    from integrations.amocrm.setting_up import webhooks
    from integrations.errors import AccessDenied, Permanent
    from worker.cli.lacking import Subscription, hook_address

    if not hook_address(settings):
        return ()
    try:
        return tuple(
            Subscription(hook.destination, hook.settings, hook.disabled) for hook in await webhooks(amocrm)
        )
    except Permanent as error:
        if isinstance(error, AccessDenied) and error.status in (401, 402):
            raise
        return f"{happened(settings, error)}. {_webhook_remedy(settings)}"


async def _create(
    settings: "Settings", amocrm: "AmoCrm", lacking: "Lacking", tell: Callable[[Outcome], None]
) -> list[Outcome]:
    from integrations.errors import AccessDenied, OutsideError, Temporary, Uncertain

    outcomes = [Outcome(item) for item in lacking.items]
    for place, outcome in enumerate(outcomes):
        try:
            await _make(amocrm, outcome.item)
        except Uncertain as error:
            outcomes[place] = replace(outcome, state="unsure", trouble=_unsure(settings, error))
        except OutsideError as error:
            outcomes[place] = replace(
                outcome, state="failed", trouble=_trouble(settings, outcome.item, error)
            )
            if isinstance(error, AccessDenied | Temporary):  # The next would fare no better.
                tell(outcomes[place])
                break
        else:
            outcomes[place] = replace(outcome, state="created")
        tell(outcomes[place])
    return outcomes


async def _make(amocrm: "AmoCrm", item: "Item") -> None:
    from integrations.amocrm.setting_up import NewField, NewPipeline, create_field, create_pipeline, subscribe
    from worker.cli.lacking import Subscription

    match item.new:
        case NewField():
            await create_field(amocrm, item.new)
        case NewPipeline():
            await create_pipeline(amocrm, item.new)
        case Subscription():
            await subscribe(amocrm, item.new.destination, item.new.settings)


# What is said


def _trouble(settings: "Settings", item: "Item", error: "OutsideError") -> str:
    from integrations.errors import AccessDenied, Permanent

    if item.kind == "webhook" and isinstance(error, Permanent) and error.status not in (401, 402):
        return f"{happened(settings, error)}. {_webhook_remedy(settings)}"
    if isinstance(error, AccessDenied) and error.status == 403:
        sentence = say(
            settings,
            "Создавать поля и воронки может только токен администратора: выпустите его под администратором.",
            "Only an administrator's token may create fields and pipelines: let an administrator issue it.",
        )
        return f"{happened(settings, error)}. {sentence}"
    if isinstance(error, Permanent) and error.status in (400, 422):
        sentence = say(
            settings,
            "Создайте в amoCRM вручную, под тем же названием.",
            "Create it in amoCRM by hand, under the same name.",
        )
        return f"{happened(settings, error)}. {sentence}"
    return explained(settings, error)


def _unsure(settings: "Settings", error: "OutsideError") -> str:
    sentence = say(
        settings,
        "Ответ потерялся, могло и создаться. Запустите setup ещё раз: он сперва смотрит, что есть.",
        "The answer was lost, it may have been made. Run setup again: it looks first at what is there.",
    )
    return f"{happened(settings, error)}. {sentence}"


def _webhook_remedy(settings: "Settings") -> str:
    return say(
        settings,
        "Webhook через API есть на тарифе «Расширенный» и выше и у токена администратора. Можно обойтись: "
        "без него сделки читаются раз в amocrm.poll_interval.",
        "A webhook by API needs the tariff «Расширенный» or above and an administrator's token. It can be "
        "done without: deals are read every amocrm.poll_interval.",
    )


def agreed(settings: "Settings", lacking: "Lacking", *, yes: bool) -> bool:
    """Show the list and ask; no answer at all is a no."""
    print_lacking(settings, lacking)
    if yes:
        return True
    typer.echo(say(settings, "Создать? [да/нет]: ", "Create it? [yes/no]: "), nl=False)
    line = sys.stdin.readline()
    if line.strip().casefold() in {"да", "д", "yes", "y"}:
        return True
    if not line:
        typer.echo()
    typer.echo(say(settings, "Ничего не создано.", "Nothing was created."))
    return False


def print_lacking(settings: "Settings", lacking: "Lacking") -> None:
    title = say(settings, "В аккаунте не хватает:", "The account lacks:")
    typer.echo(title)
    for item in lacking.items:
        typer.echo(f"  • {item.title}")
        if item.near:
            names = ", ".join(f"«{name}»" for name in item.near)
            typer.echo(say(
                settings,
                f"    похоже на {names}: если это оно, впишите его в {item.key}",
                f"    like {names}: if that is what you mean, put it into {item.key}",
            ))  # fmt: skip
    for problem in lacking.problems:
        typer.echo(f"  ! {problem}")


def print_outcome(settings: "Settings", outcome: Outcome) -> None:
    mark = {"created": "✓", "failed": "✗", "unsure": "?", "missing": " "}[outcome.state]
    typer.echo(f"{mark} {outcome.item.title}")
    if outcome.trouble:
        typer.echo(f"  {outcome.trouble}")


def _summary(settings: "Settings", outcomes: list[Outcome]) -> str:
    made = sum(outcome.state == "created" for outcome in outcomes)
    if made == len(outcomes):
        return say(
            settings,
            f"Создано: {made}. Запущенный sarafan увидит это в течение часа. Дальше: sarafan check.",
            f"Created: {made}. A running sarafan sees it within an hour. Next: sarafan check.",
        )
    left = [outcome.item.name for outcome in outcomes if outcome.state != "created"]
    names = ", ".join(f"«{name}»" for name in left)
    return say(
        settings,
        f"Создано: {made}. Не создано: {names}. Исправьте и запустите setup ещё раз.",
        f"Created: {made}. Not created: {names}. Mend it and run setup again.",
    )


def answer_of(lacking: "Lacking", outcomes: list[Outcome], is_done: bool) -> str:
    rows = [
        {
            "kind": outcome.item.kind,
            "key": outcome.item.key,
            "name": outcome.item.name,
            "state": outcome.state,
            "trouble": outcome.trouble,
        }
        for outcome in outcomes
    ]
    answer = {"ok": is_done, "items": rows, "problems": list(lacking.problems)}
    return json.dumps(answer, ensure_ascii=False, indent=2)
