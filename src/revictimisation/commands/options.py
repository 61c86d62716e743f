"""Options that several commands have, and what they take."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

FOLDER = click.Path(path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
N_CORES = os.cpu_count() or 1
click.rich_click.ARGUMENTS_PANEL_TITLE = "Argument / arguments"
click.rich_click.OPTIONS_PANEL_TITLE = "Flaggor / options"
click.rich_click.COMMANDS_PANEL_TITLE = "Kommandon / commands"


def jobs_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """How many cores a command may use."""
    option = click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=N_CORES,
        show_default=True,
        help="Antal processorkärnor; resultatet är detsamma. / Cores to use; same results.",
    )
    return option(command)


def format_option(kinds: list[str], told: str) -> Callable[..., Any]:
    """Which file format a command writes; the first is the default."""
    kind = click.Choice(kinds)
    return click.option(
        "--format", "kind", type=kind, default=kinds[0], show_default=True, help=told
    )


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a command that runs a study is given: the study file, the extract, where to, cores."""
    command = jobs_option(command)
    command = click.option(
        "--out",
        type=FOLDER,
        required=True,
        help="Mapp för resultaten. / Folder for the results.",
    )(command)
    command = click.option(
        "--data",
        type=FOLDER,
        required=True,
        help="Mapp med utdraget, en fil per tabell. / Folder of the extract, a file per table.",
    )(command)
    return click.argument("study", type=FOLDER)(command)


def name_call() -> str:
    """The command as it was given, for the manifest."""
    return shlex.join(["revictimisation", *sys.argv[1:]])


def say_end(has_worked: bool, where: Path) -> None:
    """Say where the results are, and whether anything had to be done."""
    done = "Klart / done" if has_worked else "Inget nytt att göra / nothing has changed"
    click.echo(f"{done}: {where}")
