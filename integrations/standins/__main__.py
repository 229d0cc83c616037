"""A made-up amoCRM, Telegram and Green-API on loopback, on the real clock, until Ctrl-C or SIGTERM."""

import argparse
import asyncio
import signal
from pathlib import Path

from integrations.standins.town import MORE, Town

MANUAL = """\
What is printed is a config.toml for a worker that shall live in this town; the last line is «# ready».

    python -m integrations.standins --config config.toml        # and in another terminal:
    sarafan run

Each server also has a control endpoint. A call of a helper is a POST with its arguments as a JSON object;
it answers with what the helper gives, or with 400 and {"error": …}.

    amocrm      add_contact {"name": "Мария", "phones": ["+79140000001"]}           → its id
                add_lead {"name": "Ворота", "contacts": [301], "responsible": "Олег Смирнов"}   → its id
                close_lead {"lead_id": 501, "won": true} · move_lead · edit_lead · delete_lead
                leads_in {"pipeline": "Рекламации"} · notes_of {"lead_id": 501} · tasks_of
                field_value {"lead_id": 501, "field_name": "NPS"} · add_user · add_pipeline · add_field
    telegram    start {"who": "Мария", "token": "<of the deal's link>"} · says {"who": "Мария", "text": "9"}
                tap {"who": "Мария", "button": "9"} · share_contact {"who": "Мария", "phone": "+79140000001"}
                messages {"who": "Мария"} · conversation · block · unblock · edits
                sends {"who": …, "media": "voice"} · throttle {"seconds": 30} · person · group
    whatsapp    says {"who": "+79140000001", "text": "9"} · votes {"who": "+79140000001", "option": "9"}
                messages {"who": "+79140000001"} · conversation · reads · reacts · edits · sends
                manager_writes · has_no_account · set_state {"state": "notAuthorized"}
                set_phone_online {"is_online": false} · set_quota {"people": 3} · repeat {"times": 1}

    max         start · says · tap · share_contact · block · messages, as telegram's
    max_account, telegram_account   as whatsapp's

    every one   GET  /_control/requests         what was asked of it
                POST /_control/faults           {"path": "sendMessage", "nth": 1, "times": 1, "status": 502,
                                                 "delay": 0, "drop": false, "after": true}
                DELETE /_control/faults

    curl -X POST 127.0.0.1:9001/_control/close_lead -d '{"lead_id": 501}'
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m integrations.standins",
        description=__doc__,
        epilog=MANUAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port-base", type=int, default=0, help="the first of the ports, all in a row; 0 = any free ones"
    )
    parser.add_argument(
        "--filters", choices=("on", "off"), default="on", help="has the account paid for filters"
    )
    parser.add_argument(
        "--rate-limit", type=int, default=7, help="requests a second that amoCRM allows; 0 = any number"
    )
    parser.add_argument(
        "--more", choices=MORE, nargs="+", default=(), help="messengers that the company has besides"
    )
    parser.add_argument("--config", type=Path, help="write the config.toml into this file too")
    options = parser.parse_args()
    town = Town(filters=options.filters == "on", rate_limit=options.rate_limit or None, more=options.more)
    asyncio.run(_serve(town, options.port_base, options.config))


async def _serve(town: Town, port_base: int, config: Path | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with town.served(port_base) as addresses:
        text = town.config(addresses)
        if config:
            await asyncio.to_thread(config.write_text, text, encoding="utf-8")
        print(f"# amocrm    {addresses.amocrm}")
        print(f"# telegram  {addresses.telegram}")
        print(f"# whatsapp  {addresses.whatsapp}")
        for messenger, address in addresses.more.items():
            print(f"# {messenger}  {address}")
        print()
        print(text)
        print("# ready", flush=True)
        await stop.wait()


if __name__ == "__main__":
    main()
