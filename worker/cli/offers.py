"""The messengers that `init` can set up: what each needs, and where a person finds that."""

from dataclasses import dataclass

from integrations.channels.registry import CHANNELS
from worker.config.words import Words


@dataclass(frozen=True, slots=True)
class Key:
    """One value to ask for."""

    name: str
    words: Words
    is_made: bool = False  # by us: any word will do, as long as nobody guesses it


@dataclass(frozen=True, slots=True)
class Offer:
    """A channel by one provider ("" for a bot). `chosen`: a key whose value is picked from a list."""

    section: str
    provider: str
    title: Words
    where: Words  # to find the values
    keys: tuple[Key, ...]
    chosen: str = ""
    needs_address: bool = False  # it posts to us, so without a public address nothing would come in


GREENAPI = (
    Key("base_url", Words("apiUrl инстанса", "apiUrl of the instance")),
    Key("instance_id", Words("idInstance", "idInstance")),
    Key("api_token", Words("apiTokenInstance", "apiTokenInstance")),
)
GREENAPI_WHERE = Words(
    "Кабинет Green-API → инстанс этого мессенджера: там apiUrl, idInstance и apiTokenInstance.",
    "The cabinet of Green-API, the instance of this messenger: apiUrl, idInstance and apiTokenInstance.",
)
WAZZUP = (Key("api_key", Words("Ключ API", "API key")),)
WAZZUP_WHERE = Words(
    "Кабинет Wazzup → Настройки → Интеграция с CRM: ключ API.",
    "The cabinet of Wazzup, Settings, Integration with a CRM: the API key.",
)
META = (
    Key("phone_number_id", Words("Phone number ID", "Phone number ID")),
    Key(
        "access_token", Words("Постоянный токен системного пользователя", "Permanent token of a system user")
    ),
    Key("app_secret", Words("App Secret приложения", "App Secret of the app")),
    Key("verify_token", Words("Verify token", "Verify token"), is_made=True),
)

OFFERS = (
    Offer(
        "telegram",
        "",
        Words("Бот в Telegram (клиент сначала открывает его)", "A bot in Telegram (clients open it first)"),
        Words("Бота делает @BotFather: /newbot, затем API Token.", "@BotFather: /newbot, API Token."),
        (Key("token", Words("Токен бота", "Token of the bot")),),
    ),
    Offer(
        "max",
        "",
        Words("Бот в MAX (клиент сначала открывает его)", "A bot in MAX (clients open it first)"),
        Words("Токен показывает кабинет MAX для партнёров.", "The partners' cabinet of MAX shows it."),
        (Key("token", Words("Токен бота", "Token of the bot")),),
    ),
    *(
        Offer(section, "greenapi", title, GREENAPI_WHERE, GREENAPI)
        for section, title in (
            ("whatsapp", Words("WhatsApp через Green-API", "WhatsApp through Green-API")),
            ("max_account", Words("Аккаунт MAX через Green-API", "A MAX account, Green-API")),
            ("telegram_account", Words("Аккаунт Telegram через Green-API", "A Telegram account, Green-API")),
        )
    ),
    *(
        Offer(section, "wazzup", title, WAZZUP_WHERE, WAZZUP, chosen="channel_id", needs_address=True)
        for section, title in (
            ("whatsapp", Words("WhatsApp через Wazzup24", "WhatsApp through Wazzup24")),
            ("max_account", Words("Аккаунт MAX через Wazzup24", "A MAX account, Wazzup24")),
            ("telegram_account", Words("Аккаунт Telegram через Wazzup24", "A Telegram account, Wazzup24")),
        )
    ),
    Offer(
        "whatsapp",
        "cloud",
        Words("WhatsApp Cloud API (Meta)", "WhatsApp Cloud API (Meta)"),
        Words("Meta for Developers: WhatsApp → API Setup.", "Meta for Developers: WhatsApp, API Setup."),
        META,
        needs_address=True,
    ),
)  # fmt: skip


def offers() -> tuple[Offer, ...]:
    """Those that this version of the program has built."""
    known = {(kind.section, kind.provider) for kind in CHANNELS}
    return tuple(offer for offer in OFFERS if (offer.section, offer.provider) in known)
