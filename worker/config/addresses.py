"""How an address, a token or a secret of config.toml is read."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import SecretStr

from worker.config.values import ensure, reader
from worker.config.words import Expected

URL = Expected("адрес, который начинается с http:// или https://",
               "an address that begins with http:// or https://", '"https://example.com"')  # fmt: skip
SITE = Expected("адрес аккаунта, без пути", "the account's address, without a path",
                '"https://example.amocrm.ru"')  # fmt: skip
LISTEN = Expected("адрес и порт", "an address and a port", '"127.0.0.1:8080"')
STORAGE = Expected("sqlite:///путь к файлу или postgresql+psycopg://…",
                   "sqlite:///path or postgresql+psycopg://…", '"sqlite:///data/sarafan.db"')  # fmt: skip
SECRET_WORD = Expected("буквы (латинские), цифры, - и _", "letters, digits, - and _", '"kX3-your_own_9"')
PROXY = Expected("прокси http://, https:// или socks5://", "a proxy: http://, https:// or socks5://",
                 '"socks5://127.0.0.1:1080"')  # fmt: skip
TOKEN = Expected("токен без пробелов и кириллицы", "a token without spaces", '"1234567890:AAE…"')
DEEP_LINK = Expected("адрес с {token} и, если нужно, {bot}", "an address with {token} and, if needed, {bot}",
                     '"https://t.me/{bot}?start={token}"')  # fmt: skip


def _url(text: str) -> str:
    parts = urlsplit(text)
    ensure(parts.scheme in {"http", "https"} and bool(parts.hostname))
    ensure(parts.port is None or parts.port > 0)  # also refuses what is no number
    ensure(not re.search(r"[\s{}]", text))
    return text.rstrip("/")


def _public(text: str) -> str:
    """What paths are put behind."""
    parts = urlsplit(_url(text))
    ensure(not parts.query and not parts.fragment)
    return text.rstrip("/")


def _site(text: str) -> str:
    """An address of a whole site: without path, query or a user."""
    parts = urlsplit(_url(text))
    ensure(parts.path == "" and not parts.query and not parts.fragment and "@" not in parts.netloc)
    return text.rstrip("/")


def _listen(text: str) -> str:
    parts = urlsplit(f"//{text}")
    ensure(bool(parts.hostname) and parts.port is not None and not parts.path)
    return text


def _storage(text: str) -> str:
    if text.startswith("sqlite:///"):
        ensure(len(text) > len("sqlite:///"))
    else:
        ensure(bool(re.match(r"postgresql(\+psycopg)?://[^/]*/[^/]+$", text)))
    return text


def _secret_word(text: str) -> str:
    ensure(bool(re.fullmatch(r"[A-Za-z0-9_-]*", text)))
    return text


def _proxy(text: str) -> str:
    parts = urlsplit(text)
    ensure(not text or (parts.scheme in {"http", "https", "socks5", "socks5h"} and bool(parts.hostname)))
    return text


def _token(text: str) -> str:
    ensure(text.isascii() and not re.search(r"\s", text))
    return text


def _deep_link(text: str) -> str:
    unknown = re.sub(r"\{(bot|token)\}", "", text)
    ensure("{token}" in text and "{" not in unknown and "}" not in unknown)
    _url(re.sub(r"[{}]", "", text))
    return text


Url = Annotated[str, reader(_url, URL)]
PublicUrl = Annotated[str, reader(lambda text: _public(text) if text else "", URL)]
UrlOrNone = Annotated[str, reader(lambda text: _url(text) if text else "", URL)]
Site = Annotated[str, reader(lambda text: _site(text) if text else "", SITE)]
Listen = Annotated[str, reader(_listen, LISTEN)]
Proxy = Annotated[str, reader(_proxy, PROXY)]
DeepLink = Annotated[str, reader(_deep_link, DEEP_LINK)]
StorageUrl = Annotated[str, reader(_storage, STORAGE)]
Token = Annotated[str, reader(_token, TOKEN)]
Secret = Annotated[SecretStr, reader(_token, TOKEN)]
SecretWord = Annotated[SecretStr, reader(_secret_word, SECRET_WORD)]
