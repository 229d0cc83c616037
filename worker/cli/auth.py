"""The first pair of tokens for amoCRM: `auth`."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.common import Config, fail, read_settings, say
from worker.cli.outside import explained
from worker.cli.usage import WRONG, WrongUse

if TYPE_CHECKING:
    import httpx

    from integrations.errors import OutsideError
    from worker.config.settings import Settings


def auth(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="From the card of the integration; 20 minutes.")
    ],
    config: Config = None,
) -> None:
    """Exchange an authorization code of amoCRM for the tokens that the worker renews from then on."""
    settings = read_settings(config, log_level="warning")
    if not settings.amocrm.client_id or settings.amocrm.token.get_secret_value():
        sentence = say(
            settings,
            "amoCRM работает по долгосрочному токену, код не нужен. Для входа по OAuth уберите amocrm.token "
            "и заполните client_id, client_secret и redirect_uri.",
            "amoCRM is used with a long-lived token, a code is of no use. For OAuth remove amocrm.token "
            "and fill in client_id, client_secret and redirect_uri.",
        )
        typer.echo(sentence, err=True)
        raise typer.Exit(WRONG)
    if not code.strip() or any(sign.isspace() for sign in code.strip()):
        raise WrongUse(
            "CODE", "код — одно слово: скопируйте его целиком", "a code is one word: copy it whole"
        )
    asyncio.run(exchange(settings, code.strip()))
    typer.echo(
        say(
            settings,
            "Готово: вход в amoCRM сохранён. Запущенный sarafan подхватит его сам.",
            "Done: the access to amoCRM is kept. A running sarafan takes it up by itself.",
        )
    )


async def exchange(
    settings: "Settings", code: str, *, transport: "httpx.AsyncBaseTransport | None" = None
) -> None:
    """Exits with 1 and a sentence when there is no pair in the end. `transport` for tests."""
    from integrations.errors import OutsideError
    from storage.database import Database
    from storage.errors import StorageError
    from storage.tokens import Tokens
    from worker.app import open_amocrm

    try:
        db = await Database.open(settings.storage.url)
        try:
            tokens = Tokens(db, "amocrm")
            amocrm = open_amocrm(settings, tokens, requests_per_second=1, transport=transport)
            try:
                if amocrm.oauth is not None:
                    await amocrm.oauth.authorize(code)
            finally:
                await amocrm.close()
        finally:
            await db.close()
    except OutsideError as error:
        fail(_sentence(settings, error))
    except StorageError as error:
        fail(error.say(settings.company.language))


def _sentence(settings: "Settings", error: "OutsideError") -> str:
    from integrations.amocrm.auth import CodeRefused
    from integrations.errors import Temporary, Uncertain

    match error:
        case CodeRefused(is_client=True):
            return say(
                settings,
                "amoCRM не узнаёт интеграцию. Сверьте client_id, client_secret и redirect_uri с её "
                "карточкой, возьмите новый код и повторите.",
                "amoCRM does not know the integration. Compare client_id, client_secret and redirect_uri "
                "with its card, take a new code and try again.",
            )
        case CodeRefused():
            return say(
                settings,
                "amoCRM не принимает код: он живёт 20 минут и действует один раз. Скопируйте новый из "
                "карточки интеграции и повторите. redirect_uri должен совпадать с карточкой до знака.",
                "amoCRM does not accept the code: it lives for 20 minutes and works once. Copy a new one "
                "from the card of the integration and try again. redirect_uri must equal the card's exactly.",
            )
        case Uncertain():
            return say(
                settings,
                "Ответ amoCRM потерялся, код мог сгореть. Возьмите новый и повторите.",
                f"The answer of amoCRM was lost ({error.detail}), the code may be used up. Take a new one.",
            )
        case Temporary():
            return say(
                settings,
                "amoCRM сейчас не отвечает. Код ещё цел: повторите в течение 20 минут.",
                f"amoCRM cannot be asked now ({error.detail}). The code is still good: try again within its "
                "20 minutes.",
            )
        case _:
            return explained(settings, error)
