"""The command `simulate`: a synthetic county with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.core import ParameterSource

from revictimisation import __version__
from revictimisation.commands import folders, processes
from revictimisation.commands.folders import SIMULATION
from revictimisation.commands.options import FOLDER, format_option, jobs_option
from revictimisation.commands.progress import Progress
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.core.text import name_nearest
from revictimisation.core.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.simulate.nation import Part

PERSON_BYTES = 2_000  # of a simulated county, by its index victims
NATIONAL = "national"  # made in parts, as it does not fit in memory
PARTS = "revictimisation.simulate.nation"  # what a process that makes parts has loaded


@click.command("simulate")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--people",
    type=click.IntRange(min=1),
    default=None,
    help="Antal våldsutsatta med en första anmälan. / Index victims. [default: 3000; small: 216; "
    "national: 540000]",
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
    "reporting, positivity, dirty; eller ett helt rike / or a whole nation: national (Parquet).",
)
@format_option(["csv", "parquet"], "Filformat. / File format.")
@jobs_option
@click.pass_context
def command(
    context: click.Context, folder: Path, people: int | None, seed: int, scenario: str, kind: str,
    jobs: int,
) -> None:  # fmt: skip
    """Hitta på ett län med känd sanning, att prova metoden på.

    Invent a county with known truth, to try the method on. Writes DIR/<table>.csv (or .parquet)
    and DIR/truth.csv.
    """
    asked = context.get_parameter_source("kind")
    if scenario == NATIONAL and kind != "parquet" and asked is ParameterSource.COMMANDLINE:
        raise UsageError(
            "--scenario national skrivs som Parquet; ta bort --format csv. / It is written as "
            "Parquet: leave --format csv out."
        )
    n_people = simulate_to(folder, people, seed, scenario, kind, jobs)
    click.echo(f"{folder}: {scenario}, {n_people} index victims, seed {seed}")


def simulate_to(
    folder: Path, n_people: int | None, seed: int, scenario: str, kind: str, jobs: int = 1
) -> int:
    """The command `simulate`: write a synthetic county, `truth.csv` last; returns its size.

    `simulation.json` beside the tables says what they are, so that no one takes them for real.
    A nation is made by `jobs` processes, part by part, and is the same whatever their number.
    """
    files.find_cache()
    n_people = n_people or _find_usual_size(scenario)
    n_bytes = n_people * PERSON_BYTES * (2 if scenario == NATIONAL else 1)
    facts = {"scenario": scenario, "n_people": n_people, "seed": seed, "version": __version__}
    with (
        folders.reserved(folder, "simulate", n_bytes=n_bytes),
        Progress(2) as progress,
        files.fill_folder(folder) as stage,
    ):
        if scenario == NATIONAL:
            _simulate_nation(stage, n_people, seed, jobs, progress)
        else:
            _simulate_county(stage, n_people, seed, scenario, kind, progress)
        made = files.list_below(stage)
        earlier = (files.read_json(folder / SIMULATION) or {}).get("files", [])
        files.write_json(stage / SIMULATION, {"is_synthetic": True, **facts, "files": made})
    for name in {*earlier} - {*made}:
        files.remove_file(folder / name)
    return n_people


def _find_usual_size(scenario: str) -> int:
    """How many index victims a scenario has where nobody says; `UsageError` if there is none."""
    if scenario == NATIONAL:
        from revictimisation.simulate.nation import NATION

        return NATION.default_people
    from revictimisation.simulate import DEFAULT_PEOPLE

    if scenario not in DEFAULT_PEOPLE:
        known = tuple(sorted((*DEFAULT_PEOPLE, NATIONAL)))
        raise UsageError(f"okänt scenario / unknown scenario{name_nearest(scenario, known)}")
    return DEFAULT_PEOPLE[scenario]


def _simulate_county(
    stage: Path, n_people: int, seed: int, scenario: str, kind: str, progress: Progress
) -> None:
    from revictimisation.simulate import simulate_county

    progress.tell("simulate")
    tables = simulate_county(scenario, n_people, seed)
    progress.tell("write")
    for name, table in tables.items():
        _write_simulated(table, stage, name, kind)


def _simulate_nation(stage: Path, n_people: int, seed: int, jobs: int, progress: Progress) -> None:
    """Make each part in a folder of its own; then join them, table by table, in their order."""
    from revictimisation.simulate.nation import NATION, list_parts
    from revictimisation.simulate.truth import read_truth

    parts = list_parts(n_people)
    progress.skip(1 - len(parts))
    processes.preload(PARTS)

    def begin(part: Part) -> None:
        told = f"{part.number + 1}/{len(parts)}"
        progress.tell("simulate_part", part={"sv": told, "en": told})

    with files.private_folder(stage) as workspace:
        tasks = [(part, seed, Path(workspace)) for part in parts]
        with Workers(jobs, processes.open_place, processes.pack) as workers:
            written = workers.map(write_part, tasks, lambda task: begin(task[0]))
        progress.tell("write")
        for name in dict.fromkeys(name for names in written for name in names):
            made = [_name_folder(Path(workspace), part) / f"{name}.parquet" for part in parts]
            files.join_tables([path for path in made if path.is_file()], stage, name)
    files.write_table(read_truth(NATION), stage, "truth", ("csv",))


def _name_folder(workspace: Path, part: Part) -> Path:
    return workspace / f"{part.number:04d}"


def write_part(task: tuple[Part, int, Path]) -> list[str]:
    """Make a part of a nation and write it in a folder of its own; gives the names of its tables.

    What was made for the part is gone with it: all that a process keeps is on the disk.
    """
    from revictimisation.simulate.nation import simulate_part

    part, seed, workspace = task
    tables = simulate_part(part, seed)
    for name, table in tables.items():
        files.write_table(table, _name_folder(workspace, part), name, ("parquet",))
    return [*tables]


def _write_simulated(table: pd.DataFrame, folder: Path, name: str, kind: str) -> None:
    """Write a simulated table; what agencies hand over (`raw/...`) and truths are always CSV."""
    *below, name = name.split("/")
    formats = ("csv",) if below or name.startswith("truth") else (kind,)
    files.write_table(table, folder.joinpath(*below), name, formats)
