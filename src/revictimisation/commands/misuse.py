"""What is wrong with a command as it was given, in Swedish and English.

click says it in English only; what it found is told here in the project's own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rich_click as click
from click.exceptions import (
    BadOptionUsage,
    BadParameter,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchCommand,
    NoSuchOption,
)

from revictimisation.commands.options import MemorySize
from revictimisation.core.text import Text, find_nearest

MAX_SHOWN = 80  # letters of a word of the command that is repeated


def describe_misuse(fault: click.ClickException) -> str:
    """The fault in Swedish and English, and how to get help on the command."""
    if isinstance(fault, NoArgsIsHelpError):
        return fault.format_message()
    told = _describe(fault)
    ctx = getattr(fault, "ctx", None)
    lines = [f"{told.sv} / {told.en}"]
    if ctx is not None:
        lines.append(f"Hjälp / help: {ctx.command_path} --help")
    return "\n".join(lines)


def _describe(fault: click.ClickException) -> Text:
    if isinstance(fault, NoSuchOption):
        return _describe_unknown(Text("Det finns ingen flagga", "There is no option"),
                                 fault.option_name, fault.possibilities)  # fmt: skip
    if isinstance(fault, NoSuchCommand):
        return _describe_unknown(Text("Det finns inget kommando", "There is no command"),
                                 fault.command_name, fault.possibilities)  # fmt: skip
    if isinstance(fault, MissingParameter):
        name = _name(fault)
        return Text(f"{name} krävs.", f"{name} is required.")
    if isinstance(fault, BadParameter):
        name, kind = _name(fault), _describe_type(getattr(fault.param, "type", None))
        return Text(f"{name} ska vara {kind.sv}.", f"{name} must be {kind.en}.")
    if isinstance(fault, BadOptionUsage):
        name = _shorten(fault.option_name)
        return Text(
            f"{name} används fel: antingen saknas dess värde, eller så tar den inget.",
            f"{name} is used wrongly: its value is missing, or it takes none.",
        )
    return Text(
        "Orden efter kommandot går inte att tolka; kanske är de för många.",
        "The words after the command can't be understood; they may be too many.",
    )


def _describe_unknown(what: Text, name: str, near: Sequence[str] | None) -> Text:
    shown, nearest = _shorten(name), find_nearest(name, near or ())
    asked = Text(".", ".")
    if nearest:
        asked = Text(f"; menade du {nearest}?", f"; did you mean {nearest}?")
    return Text(f"{what.sv} {shown}{asked.sv}", f"{what.en} {shown}{asked.en}")


def _name(fault: BadParameter) -> str:
    """The option or argument as help shows it."""
    hint = fault.param_hint or (fault.param.get_error_hint(fault.ctx) if fault.param else "?")
    return hint.strip("'") if isinstance(hint, str) else " / ".join(hint)


def _shorten(word: str) -> str:
    return word if len(word) <= MAX_SHOWN else f"{word[:MAX_SHOWN]}…"


def _describe_type(kind: Any) -> Text:
    """What an option or argument takes, in words that follow "must be"."""
    if isinstance(kind, click.Choice):
        listed = ", ".join(map(str, kind.choices))
        return Text(f"något av: {listed}", f"one of: {listed}")
    if isinstance(kind, click.DateTime):
        return Text("ett datum som finns, ÅÅÅÅ-MM-DD", "a date that exists, YYYY-MM-DD")
    if isinstance(kind, click.IntRange):
        least = f"{kind.min}" if kind.min is not None else ""
        most = Text(f" och högst {kind.max}", f" and at most {kind.max}") if kind.max else Text()
        return Text(
            f"ett heltal, minst {least}{most.sv}", f"a whole number, at least {least}{most.en}"
        )
    if isinstance(kind, MemorySize):
        return Text("en mängd minne, t.ex. 4GB eller 800MB", "memory such as 4GB or 800MB")
    return Text("en fil eller mapp", "a file or folder")
