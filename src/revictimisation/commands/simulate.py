"""The command `simulate`: a synthetic county with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from revictimisation import __version__
from revictimisation.commands import folders
from revictimisation.commands.folders import SIMULATION
from revictimisation.commands.options import FOLDER, format_option
from revictimisation.commands.progress import Progress
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.core.text import name_nearest

if TYPE_CHECKING:
    import pandas as pd

PERSON_BYTES = 2_000  # of a simulated county, by its index victims


@click.command("simulate")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--people",
    type=click.IntRange(min=1),
    default=None,
    help="Antal våldsutsatta med en första anmälan. / Index victims. [default: 3000; small: 216]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Samma frö ger samma data. / The same seed gives the same data.",
)
@click.option(
    "--scenario",
    default="calibrated",
    show_default=True,
    help="Vilket påhittat län / Which synthetic county: calibrated, null, small, unmeasured, "
    "reporting, positivity, dirty.",
)
@format_option(["csv", "parquet"], "Filformat. / File format.")
def command(folder: Path, people: int | None, seed: int, scenario: str, kind: str) -> None:
    """Hitta på ett län med känd sanning, att prova metoden på.

    Invent a county with known truth, to try the method on. Writes DIR/<table>.csv (or .parquet)
    and DIR/truth.csv.
    """
    n_people = simulate_to(folder, people, seed, scenario, kind)
    click.echo(f"{folder}: {scenario}, {n_people} index victims, seed {seed}")


def simulate_to(folder: Path, n_people: int | None, seed: int, scenario: str, kind: str) -> int:
    """The command `simulate`: write a synthetic county, `truth.csv` last; returns its size.

    `simulation.json` beside the tables says what they are, so that no one takes them for real.
    """
    files.find_cache()
    from revictimisation.simulate import DEFAULT_PEOPLE, SCENARIOS, simulate_county

    if scenario not in SCENARIOS:
        known = tuple(sorted(SCENARIOS))
        raise UsageError(f"okänt scenario / unknown scenario{name_nearest(scenario, known)}")
    n_people = n_people or DEFAULT_PEOPLE[scenario]
    n_bytes = n_people * PERSON_BYTES
    with folders.reserved(folder, "simulate", n_bytes=n_bytes), Progress(2) as progress:
        progress.tell("simulate")
        tables = simulate_county(scenario, n_people, seed)
        progress.tell("write")
        facts = {"scenario": scenario, "n_people": n_people, "seed": seed, "version": __version__}
        with files.fill_folder(folder) as stage:
            for name, table in tables.items():
                _write_simulated(table, stage, name, kind)
            made = files.list_below(stage)
            earlier = (files.read_json(folder / SIMULATION) or {}).get("files", [])
            told = {"is_synthetic": True, **facts, "files": made}
            files.write_json(stage / SIMULATION, told)
        for name in {*earlier} - {*made}:
            files.remove_file(folder / name)
    return n_people


def _write_simulated(table: pd.DataFrame, folder: Path, name: str, kind: str) -> None:
    """Write a simulated table; what agencies hand over (`raw/...`) and truths are always CSV."""
    *below, name = name.split("/")
    formats = ("csv",) if below or name.startswith("truth") else (kind,)
    files.write_table(table, folder.joinpath(*below), name, formats)
