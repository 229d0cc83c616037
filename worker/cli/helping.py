"""`--help`, in the language of the installation: how a command is called, and what each of its words does."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from worker.cli.helping_ru import METAVARS, RUSSIAN

HELP = "Show this help."  # typer's own option has other words


def write(command: TyperCommand | TyperGroup, context: Any, formatter: Any, language: str) -> None:
    """Plain lines: typer's own help knows one language, and tells Python's types to people."""
    say = _english if language == "en" else _russian
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption)]
    named = [*(_placeholder(one, say) for one in arguments), f"[{say('OPTIONS')}]"]
    if isinstance(command, TyperGroup):
        is_needed = not command.invoke_without_command
        named.append(say("COMMAND") if is_needed else f"[{say('COMMAND')}]")
    formatter.write_usage(context.command_path, " ".join(named), prefix=f"{say('Usage')}: ")
    for paragraph in paragraphs(command.help):
        formatter.write_paragraph()
        formatter.write_text(say(paragraph))
    _section(formatter, "", ((_placeholder(one, say), say(one.help or "")) for one in arguments))
    if isinstance(command, TyperGroup):
        rows = ((name, say(paragraphs(one.help)[0])) for name, one in command.commands.items())
        _section(formatter, say("Commands"), rows)
    _section(formatter, say("Options"), _rows(options, context, say))
    for paragraph in paragraphs(command.epilog):
        formatter.write_paragraph()
        formatter.write_text(say(paragraph))


def paragraphs(text: str | None) -> list[str]:
    """As they are looked up: a line break of a docstring is a space."""
    parts = inspect.cleandoc(text or "").split("\n\n")
    return [" ".join(part.split()) for part in parts if part.strip()]


def placeholder_ru(word: str) -> str:
    return METAVARS.get(word, word)


def _english(words: str) -> str:
    return words


def _russian(words: str) -> str:
    return RUSSIAN.get(words) or METAVARS.get(words, words)


def _placeholder(argument: TyperArgument, say: Any) -> str:
    name = say(argument.metavar or argument.name.upper())
    if argument.nargs != 1:
        name += "…"
    return name if argument.required else f"[{name}]"


def _rows(options: list[TyperOption], context: Any, say: Any) -> Iterator[tuple[str, str]]:
    for option in options:
        short = next((name for name in option.opts if not name.startswith("--")), "")
        long = next(name for name in option.opts if name.startswith("--"))
        # Of a choice typer knows the values, and writes them as a type: <text|json>.
        value = (option.display_type_rich(context) or "").strip("<>")
        words = say(option.help or "")
        if option.required:
            words = f"{say('Required.')} {words}"
        yield f"{f'{short}, ' if short else '    '}{long} {say(value)}".rstrip(), words
    yield "    --help", say(HELP)


def _section(formatter: Any, title: str, rows: Iterator[tuple[str, str]]) -> None:
    if listed := list(rows):
        formatter.write_paragraph()
        if title:
            formatter.write(f"{title}:\n")
        formatter.indent()
        formatter.write_dl(listed)
        formatter.dedent()
