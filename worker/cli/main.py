"""The `sarafan` command and its subcommands; exit codes 0 done, 1 failed, 2 wrong use or settings."""

import errno
import gc
import io
import os
import signal
import sys
from typing import Annotated

import typer

from worker.cli import auth, create, data, inbox, init, link, move, report, setup, staff, trying
from worker.cli.common import AsJson, Config, day, read_settings
from worker.cli.language import language_here
from worker.cli.usage import FAILED, Command, Commands, WrongUse

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}  # a full disk behind `>`, or none

app = typer.Typer(
    name="sarafan",
    help=(
        "Asks amoCRM clients how it went, turns bad answers into complaints that somebody owns, "
        "and measures word of mouth.\n\n"
        "Begin with `sarafan demo`. Then `sarafan init` asks a few questions and writes config.toml; go on "
        "with `sarafan setup`, `sarafan check`, `sarafan plan` and `sarafan run`."
    ),
    epilog="Exit codes: 0 done, 1 the work failed, 2 wrong use or configuration.",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        typer.echo(version("sarafan"))
        raise typer.Exit


@app.callback()
def sarafan(
    version: Annotated[
        bool,
        typer.Option("--version", metavar="", is_eager=True, callback=_version, help="Print the version."),
    ] = False,
) -> None:
    del version  # Its callback has ended the program.


@app.command(cls=Command)
def demo(
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            metavar="",
            help="No story: at once a page on this machine where you play the client and the sales head. "
            "Ctrl-C ends it.",
        ),
    ] = False,
    port: Annotated[
        int,
        typer.Option("--port", metavar="PORT", min=0, max=65535, help="Of that page; 0 takes a free one."),
    ] = 0,
    config: Config = None,
) -> None:
    """Show it all: a made-up company in fast time. Needs neither configuration nor network."""
    del config  # Every command takes it; this one has its own.
    if serve:
        from worker.cli import demo_serve

        raise typer.Exit(demo_serve.run(port))
    if port:
        raise WrongUse(
            "--port",
            "это порт страницы, а её открывает --serve",
            "it is the port of the page, which --serve opens",
        )
    from worker.cli import demo as story

    raise typer.Exit(story.run())


@app.command(cls=Command)
def run(config: Config = None) -> None:
    """Work until SIGTERM or Ctrl-C."""
    import logging

    from worker import service as worker

    settings = read_settings(config)
    for warning in settings.warnings:
        logging.getLogger("sarafan").warning("%s", warning)
    # What is here now stays: to look through it for garbage would hold everything up for a tenth of a second.
    gc.freeze()
    raise typer.Exit(worker.run(settings))


@app.command(cls=Command)
def plan(
    config: Config = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="In place of amocrm.surveys_since.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Dry run: what would be sent, to whom, when and why not. Reads amoCRM, changes nothing."""
    from datetime import datetime, time

    from worker.cli import plan as dry_run

    settings = read_settings(config, log_level="warning")
    begins = datetime.combine(day(since, "--since"), time(), settings.company.timezone) if since else None
    raise typer.Exit(dry_run.run(settings, since=begins, as_json=as_json))


app.command(cls=Command)(init.init)
app.command(cls=Command)(setup.check)
app.command(cls=Command)(create.setup)
app.command(cls=Command)(auth.auth)
app.command(cls=Command)(report.report)
app.command(cls=Command)(data.export)
app.command(cls=Command)(data.forget)
app.command(cls=Command)(move.backup)
app.command(cls=Command)(inbox.inbox)
app.command(cls=Command)(link.link)
app.command("try", cls=Command)(trying.try_survey)
app.command("copy-to", cls=Command)(move.copy_to)
app.add_typer(staff.staff, name="staff")


def main() -> None:
    # After every 700 new objects Python looks for garbage. Imports make many and leave none.
    gc.set_threshold(20_000)
    prepare_output()
    if sys.argv[1:2] == ["run"]:
        # Until the worker listens to signals itself: nothing has been begun, so to leave is to be done.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: sys.exit(0))
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # Here: when Python ends, nobody could say any more what is wrong.
    except OSError as error:
        if error.errno not in {*UNWRITABLE, errno.EPIPE}:
            raise
        # What is left of the output goes nowhere, or Python would try it once more.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        if error.errno == errno.EPIPE:
            sys.exit(FAILED)
        sys.stderr.write(f"{_output_is_full(error)}\n")
        sys.exit(FAILED)


def _output_is_full(error: OSError) -> str:
    from storage.errors import reason

    if language_here(sys.argv[1:], os.environ) == "en":
        return f"The output cannot be written: {reason(error)}."
    return f"Вывод не записать: {reason(error, 'ru')}."


def prepare_output() -> None:
    """A closed output is no error, nor is a terminal that knows no Cyrillic."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 — open until the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
