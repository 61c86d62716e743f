"""Options that several commands have, and what they take."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from revictimisation.core.engine_options import DUCKDB, SPARK, EngineOptions
from revictimisation.core.errors import UsageError

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


class MemorySize(click.ParamType[str]):
    """An amount of memory, such as 4GB or 800 MB."""

    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The amount as engines read it."""
        if not re.fullmatch(r"[1-9]\d{0,5} ?[MG]B", value, re.IGNORECASE):
            self.fail(f"{value} is no amount of memory", param, ctx)
        return value.upper()


def memory_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """How much memory the engine of the table stages may use."""
    option = click.option(
        "--memory",
        type=MemorySize(),
        default=None,
        envvar="REVICTIMISATION_MEMORY",
        help="Minne för tabellstegen, t.ex. 4GB; resten läggs på disk. / Memory of the table "
        "stages; what does not fit goes to the disk meanwhile. [default: 80 %]",
    )
    return option(command)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which engine the table stages run on, given as one `engine`."""

    @functools.wraps(command)
    def gathered(
        *, engine: str, memory: str | None, master: str | None, shared: Path | None, **given: Any
    ) -> Any:
        if engine != SPARK and (master or shared):
            raise UsageError(
                "--master och --shared gäller --engine spark. / They are of --engine spark."
            )
        return command(engine=EngineOptions(engine, memory, master, shared), **given)

    options: list[Callable[..., Any]] = [
        click.option(
            "--engine",
            type=click.Choice([DUCKDB, SPARK]),
            default=DUCKDB,
            show_default=True,
            envvar="REVICTIMISATION_ENGINE",
            help="Vad tabellstegen räknas med; resultatet är detsamma. / What the table stages run "
            "on; same results.",
        ),
        memory_option,
        click.option(
            "--master",
            default=None,
            envvar="REVICTIMISATION_MASTER",
            help="Sparkklustrets adress, t.ex. spark://host:7077. / Address of the Spark cluster. "
            "[default: this machine]",
        ),
        click.option(
            "--shared",
            type=FOLDER,
            default=None,
            envvar="REVICTIMISATION_SHARED",
            help="Mapp som klustrets alla maskiner ser. / Folder that all its machines see.",
        ),
    ]
    for option in reversed(options):
        gathered = option(gathered)
    return gathered


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a command that runs a study is given: the study file, the extract, where to, cores."""
    command = jobs_option(engine_options(command))
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
