"""The command `compare`: a new cohort against a reference, from what two or more runs left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import rich_click as click

from revictimisation import __version__
from revictimisation.commands import folders
from revictimisation.commands.folders import (
    COMPARISON,
    MANIFEST,
    NOTEBOOKS,
    PEOPLE,
    RELEASE,
    RELEASED,
    RESTRICTED,
)
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from revictimisation.commands.options import FOLDER
from revictimisation.commands.progress import Progress
from revictimisation.core import files
from revictimisation.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.comparison.cohorts import Cohort
    from revictimisation.plan import StudyPlan
    from revictimisation.plan.parts import Comparison

TABLES = ("estimates", "attrition", "diagnostics")
FACTS, NOTEBOOK = "comparison.json", "10_comparison"
REFERENCE = "reference"  # the name of the cohort that ships with the package


@dataclass(frozen=True)
class Left:
    """What a run left: its folder, study file and plan, tables, and what its manifest tells.

    `exact` holds the restricted tables where they can be read, `people` what the run kept of each
    person. `has_study`: its study file is known; of a folder of released tables alone it is not.
    """

    folder: Path
    study: str
    plan: StudyPlan
    released: Mapping[str, pd.DataFrame]
    exact: Mapping[str, pd.DataFrame]
    people: pd.DataFrame | None
    has_study: bool
    is_synthetic: bool
    run: str


@click.command("compare")
@click.argument("reference", metavar="OUT_A", type=FOLDER)
@click.argument("others", metavar="OUT_B [OUT …]", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Mapp för jämförelsen. / Folder for the comparison.",
)
@click.option(
    "--study",
    type=FOLDER,
    default=None,
    help="Studiefil med gränserna (comparison); annars referensens. / Study file with the limits"
    " (comparison); else the reference's.",
)
def command(reference: Path, others: tuple[Path, ...], out: Path, study: Path | None) -> None:
    """Håll en ny kohort mot en referens: går talen att jämföra, och gäller de gamla slutsatserna?

    Hold a new cohort (OUT_B) against a reference (OUT_A): is it the same kind of data, do the
    reference's risks fit, do effects agree, and what to do. Each is the OUT of a run, or a release
    folder; `reference` is the cohort that ships with the program. With more than two all are
    pooled, too. Leaves comparison.csv, a page and a notebook; what rests on restricted tables goes
    to DIR/restricted.
    """
    click.echo(f"Klart / done: {compare_runs([reference, *others], out, study)}")


def compare_runs(runs: Sequence[Path], out: Path, study: Path | None = None) -> Path:
    """The command `compare`: the page that is to be read first."""
    paths = find_runs(runs)
    with Progress(4) as progress, folders.reserved(out, "compare", paths):
        progress.tell("read_runs")
        left = [read_run(path) for path in paths]
        from revictimisation.plan import read_plan

        limits = (read_plan(files.read_text(study)) if study else left[0].plan).comparison
        with files.fill_folder(out) as stage:
            first = write_comparison(left, limits, stage, progress)
        return out / first


def find_runs(runs: Sequence[Path], versions: Sequence[str] = ()) -> list[Path]:
    """The folders of runs, `reference` being the one that ships; `UsageError` where one is none.

    Also where they were made by unlike versions of the program, or by another than `versions`.
    """
    if len(runs) > len(ascii_uppercase):
        raise UsageError(
            f"Högst {len(ascii_uppercase)} körningar kan jämföras på en gång. / At most that many"
            " runs can be compared at once."
        )
    paths = [find_reference() if path == Path(REFERENCE) and not path.exists() else path
             for path in runs]  # fmt: skip
    for path in paths:
        files.check_folder(path)
    check_versions(paths, versions)
    return paths


def write_comparison(
    left: Sequence[Left], limits: Comparison, stage: Path, progress: Progress
) -> str:
    """Compare the runs and write everything into a folder; gives the name of the first page."""
    from revictimisation.comparison.comparing import compare_cohorts

    progress.tell("compare")
    rows = compare_cohorts(make_cohorts(left), limits)
    has_more = all(one.exact for one in left) or any(one.people is not None for one in left)
    exact = compare_cohorts(make_cohorts(left, is_inside=True), limits) if has_more else None
    progress.tell("report")
    first = _write(stage, left, rows, exact, describe_runs(left, limits.model_dump()))
    progress.tell("comparison_notebook")
    for task in list_notebooks(left[0].plan, stage):
        with files.private_folder() as folder:
            files.copy_whole(execute_notebook(task, Path(folder)), task.target)
    return first


def find_reference() -> Path:
    """The folder of the reference that ships with the package: the built-in county."""
    return files.package_file("comparison", "reference")


def read_run(path: Path) -> Left:
    """Read what a run left, or a release folder alone; `UsageError` for any other folder."""
    manifest = files.read_json(path / MANIFEST) or {}
    folder = path / RELEASE if (path / RELEASE).is_dir() else path
    lacking = [name for name in TABLES if not (folder / f"{name}.parquet").is_file()]
    if lacking:
        raise UsageError(
            f"{path} är varken en mapp från en körning eller ett utlämnande:"
            f" {lacking[0]}.parquet saknas. Kör revictimisation run först. / It is neither a folder"
            f" of a run nor a release: {lacking[0]}.parquet is missing. Use revictimisation run"
            " first."
        )
    released = {name: files.read_table(folder / f"{name}.parquet") for name in TABLES}
    from revictimisation.plan import read_plan

    has_study = isinstance(manifest.get("study_file"), str)
    text = str(manifest["study_file"]) if has_study else guess_study(folder, released["estimates"])
    return Left(
        folder=path,
        study=text,
        plan=read_plan(text),
        released=released,
        exact=_read_exact(path / RESTRICTED),
        people=_read_people(path / RESTRICTED),
        has_study=has_study,
        is_synthetic=bool(manifest.get("is_synthetic", _read_facts(folder).get("is_synthetic"))),
        run=str(manifest.get("run", _read_facts(folder).get("run", ""))),
    )


def _read_facts(folder: Path) -> Mapping[str, Any]:
    return files.read_json(folder / RELEASED) or {}


def _read_exact(folder: Path) -> dict[str, pd.DataFrame]:
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    if not all(path.is_file() for path in paths.values()):
        return {}
    return {name: files.read_table(path) for name, path in paths.items()}


def _read_people(folder: Path) -> pd.DataFrame | None:
    path = folder / f"{PEOPLE}.parquet"
    return files.read_table(path) if path.is_file() else None


def guess_study(folder: Path, estimates: pd.DataFrame) -> str:
    """The study file that released tables alone let see: its name, measures, days and rules."""
    import json

    facts = _read_facts(folder)
    mine = estimates[estimates["question"].eq("q2") & estimates["analysis"].eq("main")]
    curves = mine[mine["estimator"].eq("aalen_johansen") & mine["subgroup"].eq("")]
    days = sorted({int(day) for day in curves["time_days"].dropna()})
    outcomes = [name for name in ("same_suspect", "any_suspect", "any_kin")
                if mine["outcome"].eq(name).any()]  # fmt: skip
    told: dict[str, Any] = {"name": str(facts.get("study", "release"))}
    names = dict.fromkeys(mine.loc[mine["measure"].ne(""), "measure"])
    told["measures"] = {
        str(name): {"joint_within_days": 30} if name == "joint" else {"codes": [name]}
        for name in names
    }
    if days:
        told |= {"report_at_days": days, "horizon_days": max(days)}
    if outcomes:
        told["outcome"] = {"who": outcomes[0]}
    if "rules" in facts:
        told["disclosure"] = facts["rules"]
    return json.dumps(told)


def check_versions(paths: Sequence[Path], versions: Sequence[str] = ()) -> None:
    """Raise `UsageError` where the runs were made by unlike versions of the program."""
    told = {}
    for path in paths:
        manifest = files.read_json(path / MANIFEST) or {}
        folder = path / RELEASE if (path / RELEASE).is_dir() else path
        version = manifest.get("versions", {}).get("revictimisation")
        told[path] = version or _read_facts(folder).get("version")
    known = {path: str(version) for path, version in told.items() if version}
    if len({*known.values(), *versions}) > 1:
        listed = ", ".join(f"{path}: {version}" for path, version in known.items())
        raise UsageError(
            f"Körningarna gjordes av olika versioner av programmet ({listed}), och talen kan då"
            f" betyda olika saker. Kör dem igen med samma version (här {__version__}). / The runs"
            " were made by unlike versions of the program: run them again with the same."
        )


def make_cohorts(left: Sequence[Left], *, is_inside: bool = False) -> list[Cohort]:
    """The runs as they are compared, named A, B, C …; by their released tables.

    Inside the secure room by exact ones, where all have them, and with the people at hand: a new
    cohort's are held against a reference of which only a release is there.
    """
    from revictimisation.comparison.cohorts import Cohort

    is_exact = is_inside and all(one.exact for one in left)
    return [
        Cohort(letter, one.plan, **(one.exact if is_exact else one.released), is_exact=is_exact,
               has_study=one.has_study, people=one.people if is_inside else None)
        for letter, one in zip(ascii_uppercase, left, strict=False)
    ]  # fmt: skip


def describe_runs(left: Sequence[Left], limits: Mapping[str, Any]) -> dict[str, Any]:
    """What comparison.json says: which run each letter is, and the limits that held."""
    return {
        "version": __version__,
        "is_synthetic": any(one.is_synthetic for one in left),
        "cohorts": {
            letter: {
                "folder": one.folder.resolve().name,
                "study": one.plan.name,
                "title": {language: one.plan.title_in(language) for language in ("sv", "en")},
                "run": one.run,
                "accrual": [one.plan.accrual.from_on.isoformat(),
                            one.plan.accrual.to_on.isoformat()],
                "has_study_file": one.has_study,
            }
            for letter, one in zip(ascii_uppercase, left, strict=False)
        },
        "limits": dict(limits),
        "study_file": left[0].study,
    }  # fmt: skip


def list_notebooks(plan: StudyPlan, stage: Path) -> Iterator[NotebookTask]:
    """The notebook of the page in each language of the reference's study."""
    source = files.resource_dir(NOTEBOOKS) / f"{NOTEBOOK}.ipynb"
    for language in plan.languages:
        target = stage / NOTEBOOKS / f"{NOTEBOOK}.{language}.ipynb"
        told = {"comparison": "..", "language": language}
        yield NotebookTask(source, target, told, {"comparison": stage.absolute()})


def _write(
    stage: Path,
    left: Sequence[Left],
    rows: pd.DataFrame,
    exact: pd.DataFrame | None,
    facts: Mapping[str, Any],
) -> str:
    """Write tables, pages and facts; gives the name of the first page."""
    from revictimisation.dictionary import load_dictionary
    from revictimisation.report.comparison import Compared, render_comparison

    dictionary = load_dictionary()
    pages = render_comparison(Compared(rows, left[0].plan, facts), dictionary)
    files.write_table(rows, stage, COMPARISON, ("csv", "parquet"))
    if exact is not None:
        files.write_table(exact, stage / RESTRICTED, COMPARISON, ("csv", "parquet"))
        inside = Compared(exact, left[0].plan, facts, is_exact=True)
        for name, text in render_comparison(inside, dictionary).items():
            files.write_text(stage / RESTRICTED / name, text)
        files.guard_files(stage / RESTRICTED)
    for name, text in pages.items():
        files.write_text(stage / name, text)
    files.write_json(stage / FACTS, facts)
    return next(iter(pages))
