"""The command `release`: from a draft to what may leave, beside all that left before."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from revictimisation import __version__
from revictimisation.commands import folders
from revictimisation.commands.folders import (
    MANIFEST,
    NOTEBOOKS,
    REGISTER,
    RELEASE,
    RELEASED,
    RESTRICTED,
    REVIEW,
    REVIEW_TABLE,
    SET_ASIDE,
    SITE,
)
from revictimisation.commands.manifest import ESTIMATE, Run, reopen_run
from revictimisation.commands.manifest import RELEASE as STAGE
from revictimisation.commands.options import FOLDER, jobs_option
from revictimisation.commands.progress import Progress
from revictimisation.commands.run import AUTHORS_ONLY, list_notebooks, run_notebooks, run_site
from revictimisation.commands.verify import tell_hash
from revictimisation.core import files
from revictimisation.core.errors import DisclosureError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.disclosure.register import Earlier
    from revictimisation.disclosure.release import Protected

TABLES = ("estimates", "attrition", "diagnostics")
FACTS = "release.json"
LEAVING = (RELEASE, SITE, NOTEBOOKS)
SHORT = 16  # signs of a hash that tells releases apart
ENTRY = re.compile(r"\d{4,}-")  # how the name of a release in the register begins


@click.command("release")
@click.argument("out", metavar="OUT", type=FOLDER)
@click.argument("more", metavar="", nargs=-1, type=FOLDER)
@click.option(
    "--previous",
    metavar="RELEASE …",
    multiple=True,
    type=FOLDER,
    help="Tidigare utlämnanden som inte står i registret: mappar från körningar, eller bara det som"
    " lämnades ut. / Earlier releases that the register lacks: folders of runs, or of what left.",
)
@click.option(
    "--register",
    type=FOLDER,
    default=None,
    help=f"Mapp för registret över utlämnanden; annars {REGISTER} bredvid OUT. Lämnar aldrig det"
    " skyddade rummet. / Folder of the register of releases; else beside OUT. It never leaves the"
    " secure room.",
)
@click.option(
    "--acro",
    "asks_acro",
    is_flag=True,
    help="Visa på granskarens sida också vad ACRO hade dolt (installeras för sig). / Tell on the"
    " officer's page what ACRO would have hidden, too (not installed with us).",
)
@jobs_option
def command(
    out: Path,
    more: tuple[Path, ...],
    previous: tuple[Path, ...],
    register: Path | None,
    asks_acro: bool,
    jobs: int,
) -> None:
    """Gör utkastet i OUT/release till det som får lämna rummet.

    Make of the draft in OUT/release what may leave the secure room: disclosure control over all
    that the run left, beside all that was released before. Leaves review.html for the officer and,
    last, RELEASED with the hash of every file. What does not pass ends in exit code 5, and nothing
    is left there.
    """
    if more and not previous:
        raise UsageError(
            "Ange en mapp; tidigare utlämnanden efter --previous. / Name one folder; earlier"
            " releases after --previous."
        )
    where = register or out.absolute().parent / REGISTER
    n_earlier = release_run(out, (*previous, *more), where, jobs, asks_acro)
    click.echo(f"Klart / done: {out / RELEASE / REVIEW}")
    click.echo(f"Tidigare utlämnanden som det hölls mot / earlier releases beside it: {n_earlier}")
    click.echo(tell_hash(out / RELEASE / RELEASED))
    click.echo(f"Register (lämnar aldrig rummet / never leaves the room): {where}")


@dataclass(frozen=True)
class Entry:
    """A release in the register: its number and name, what is known of it, and its counts."""

    name: str
    facts: Mapping[str, Any]
    earlier: Earlier


def release_run(
    out: Path, previous: Sequence[Path], register: Path, jobs: int, asks_acro: bool
) -> int:
    """The command `release`: beside how many earlier ones; `DisclosureError` if it is refused.

    What was to leave is then cleared.
    """
    from revictimisation.disclosure.acro import import_acro

    if asks_acro:
        import_acro()
    files.check_folder(out)
    folders.check_apart(register, [out])
    _check_register(register)
    with Progress(3) as progress, files.locked(out), files.locked(register):
        progress.tell("read_release")
        with files.private_folder() as scratch:
            work = reopen_run(out, Path(scratch), jobs)
            progress.languages = work.plan.languages[:1]
            earlier = [read_previous(path, work) for path in previous]
            for path in previous:
                _note_draft(path, progress)
            work.keep_only(work.stages.keys() - {STAGE})
            try:
                entries = read_register(register)
                restricted = read_restricted(work)
                progress.tell("disclosure")
                protected, own = protect_run(work, restricted, entries, earlier)
            except DisclosureError:
                _clear(work, progress)
                raise
            facts = _describe(work, protected, own)
            if asks_acro:
                facts["acro"] = ask_acro(work, restricted, protected, progress)
            _write_tables(work, protected.tables)
            _make_pages(work, progress)
            _set_aside(work, progress)
            progress.tell("review")
            with work.finish(STAGE, facts["tables"]) as stage:
                _write_review(stage / RELEASE, work, protected, facts)
                _write_marks(stage / RELEASE, work, facts)
                if own is None:
                    _enter(register, entries, make_kept(restricted, protected.tables), facts)
    return len(protected.beside)


def _check_register(register: Path) -> None:
    """Raise `UsageError` for a folder that holds other things and no release."""
    names = files.list_entries(register)
    if names and not any(ENTRY.match(name) for name in names):
        raise UsageError(
            f"{register}: inte tom, och inget register över utlämnanden. Ange registret,"
            " eller en ny mapp om inget har lämnats ut. / The folder is not empty, and no register"
            " of releases: name the register, or a new folder if nothing was released."
        )


def read_register(register: Path) -> list[Entry]:
    """All releases in the register, the first first; `DisclosureError` for one that is damaged.

    One whose facts, which are written last, are not there was stopped before anything left.
    """
    from revictimisation.disclosure.register import KEPT, take_exact
    from revictimisation.plan import Disclosure

    found = []
    for name in files.list_entries(register):
        folder = register / name
        if not (folder / FACTS).exists():
            continue
        facts = files.read_json(folder / FACTS)
        paths = [folder / f"{table}.parquet" for table in KEPT]
        if facts is None or not all(path.is_file() for path in paths):
            raise DisclosureError(
                f"{folder}: posten i registret är skadad eller främmande, så ingen vet vad som har"
                " lämnats ut. Återställ den från säkerhetskopian. / This entry of the register is"
                " damaged or foreign: restore it from the backup."
            )
        tables = {path.stem: files.read_table(path) for path in paths}
        found.append(Entry(name, facts, take_exact(name, Disclosure(**facts["rules"]), tables)))
    return found


def read_previous(path: Path, work: Run) -> Earlier:
    """An earlier release by its folder: exactly where its run's restricted tables lie beside it.

    Raises `UsageError` for a folder that holds no release, and for the one that is to be released.
    """
    from revictimisation.disclosure.register import make_entry, take_exact, take_rounded
    from revictimisation.plan import Disclosure, read_plan

    files.check_folder(path)
    out = path if (path / RELEASE).is_dir() else path.absolute().parent
    told = path / RELEASE if (path / RELEASE).is_dir() else path
    if told.resolve() == (work.out / RELEASE).resolve():
        raise UsageError(
            f"--previous {path}: det är just det som ska lämnas ut. / It is what is to be released."
        )
    release = _read_tables(told)
    if release is None:
        raise UsageError(
            f"--previous {path}: där finns inget utlämnande (estimates, attrition, diagnostics)."
            " / It holds no release."
        )
    restricted = _read_tables(out / RESTRICTED) if told.name == RELEASE else None
    manifest = files.read_json(out / MANIFEST)
    name = f"{out.name}/{told.name}" if told != out else told.name
    if restricted and manifest and len(restricted["estimates"]) == len(release["estimates"]):
        rules = read_plan(str(manifest["study_file"])).disclosure
        return take_exact(name, rules, make_entry(restricted, release))
    facts = files.read_json(told / RELEASED) or {}
    usual = {"threshold": work.plan.disclosure.threshold, "rounding": _find_rounding(release)}
    return take_rounded(name, Disclosure(**facts.get("rules", usual)), release)


def _note_draft(path: Path, progress: Progress) -> None:
    """Tell that a folder named as an earlier release bears no mark of one."""
    if not any((folder / RELEASED).is_file() for folder in (path, path / RELEASE)):
        progress.note(
            f"--previous {path}: {RELEASED} saknas, så det kan vara ett utkast som aldrig lämnades"
            f" ut. Det räknas som utlämnat. / {RELEASED} is missing: it may be a draft that never"
            " left. It counts as released."
        )


def _read_tables(folder: Path) -> dict[str, pd.DataFrame] | None:
    paths = [folder / f"{name}.parquet" for name in TABLES]
    if not all(path.is_file() for path in paths):
        return None
    return {path.stem: files.read_table(path) for path in paths}


def _find_rounding(release: Mapping[str, pd.DataFrame]) -> int:
    """What released counts are all multiples of."""
    import numpy as np

    counts = release["estimates"][["n_people", "n_events"]].stack().dropna().astype(int)
    return max(int(np.gcd.reduce(counts.to_numpy())), 1) if len(counts) else 1


def protect_run(
    work: Run,
    restricted: Mapping[str, pd.DataFrame],
    entries: Sequence[Entry],
    previous: Sequence[Earlier],
) -> tuple[Protected, Entry | None]:
    """The tables that may leave; and the register's entry of this very release, if it is there.

    What left once leaves again as it was, whatever was released since.
    """
    from revictimisation.dictionary import load_dictionary
    from revictimisation.disclosure.release import protect

    dictionary = load_dictionary()

    def beside(before: Sequence[Entry]) -> Protected:
        earlier = [*(entry.earlier for entry in before), *previous]
        return protect(restricted, work.plan, dictionary, earlier)

    for number, entry in enumerate(entries):
        if entry.facts["run"] == work.identity[:SHORT]:
            same = beside(entries[:number])
            if hash_tables(same.tables) == entry.facts["tables"]:
                return same, entry
    return beside(entries), None


def read_restricted(work: Run) -> dict[str, pd.DataFrame]:
    """The exact tables of the run; `DisclosureError` if they are not as the run left them."""
    outputs = list_outputs(work, RESTRICTED)
    paths = {name: work.out / RESTRICTED / f"{name}.parquet" for name in TABLES}
    for name, path in paths.items():
        known = outputs.get(f"{RESTRICTED}/{name}.parquet")
        if not path.is_file() or files.hash_file(path) != known:
            raise DisclosureError(
                f"{path} är inte som körningen lämnade den. Kör revictimisation run igen. / It is"
                " not as the run left it. Use revictimisation run again."
            )
    return {name: files.read_table(path) for name, path in paths.items()}


def hash_tables(tables: Mapping[str, pd.DataFrame]) -> str:
    """A hash of released tables, whatever files they stand in; `SHORT` signs."""
    whole = " ".join(files.hash_table(tables[name]) for name in TABLES)
    return hashlib.sha256(whole.encode()).hexdigest()[:SHORT]


def _clear(work: Run, progress: Progress) -> None:
    """Leave nothing of what was to leave: tables, pages and notebooks hold the same numbers."""
    _set_aside(work, progress)
    stays = [
        name
        for name, stage in work.stages.items()
        if name == ESTIMATE or all(path.startswith(RESTRICTED) for path in stage.outputs)
    ]
    work.keep_only(stays)
    gone = [work.out / name for name in LEAVING if (work.out / name).exists()]
    files.remove_paths(gone)
    if gone:
        progress.note(
            f"Inget lämnas ut: {', '.join(map(str, gone))} är borttagna. / Nothing is released:"
            " they are removed."
        )


def _write_tables(work: Run, tables: Mapping[str, pd.DataFrame]) -> None:
    """Put the tables into OUT/release, known to the manifest."""
    with work.revise(ESTIMATE) as stage:
        for name, table in tables.items():
            files.write_table(table, stage / RELEASE, name, ("csv", "parquet"), work.about)


def _make_pages(work: Run, progress: Progress) -> None:
    """Make the run's pages and notebooks anew where they are not of these tables."""
    if SITE in work.stages:
        progress.skip(-1)
        run_site(work, progress)
    tasks = [
        task
        for task in list_notebooks(work)
        if task.stage in work.stages and task.source.name != AUTHORS_ONLY
    ]
    progress.skip(-len(tasks))
    run_notebooks(work, tasks, progress)


def _set_aside(work: Run, progress: Progress) -> None:
    """Move what no stage left out of the folders that leave: nobody has looked at it."""
    for path in work.list_unknown():
        if path.partition("/")[0] in LEAVING:
            kept = files.move_into(work.out / path, work.out / RESTRICTED / SET_ASIDE)
            progress.note(
                f"{work.out / path} hör inte till körningen och flyttades till {kept}. / It is not"
                " of the run and was moved."
            )


def ask_acro(
    work: Run, restricted: Mapping[str, pd.DataFrame], protected: Protected, progress: Progress
) -> dict[str, Any]:
    """What may be told of ACRO's view; it is noted where it would hide what is shown."""
    from revictimisation.disclosure.acro import compare

    rules = work.plan.disclosure
    found = compare(restricted["estimates"], protected.tables["estimates"], rules)
    if found.hidden_by_acro_alone:
        progress.note(
            f"ACRO hade dolt {found.hidden_by_acro_alone} celler som visas: se efter varför innan"
            " något lämnas ut. / ACRO would have hidden so many cells that are shown: find out why"
            " before anything leaves."
        )
    return found.describe(rules)


def _describe(work: Run, protected: Protected, own: Entry | None) -> dict[str, Any]:
    """What RELEASED, the review and the register say of this release; the files are yet to come."""
    return {
        "study": work.plan.name,
        "run": work.identity[:SHORT],
        "tables": hash_tables(protected.tables),
        "released_on": own.facts["released_on"] if own else dt.date.today().isoformat(),
        "version": __version__,
        "code": work.code[:SHORT],
        "is_synthetic": work.is_synthetic,
        "rules": work.plan.disclosure.model_dump(),
        "is_as_drafted": protected.is_as_drafted,
    }


def _write_review(folder: Path, work: Run, protected: Protected, facts: Mapping[str, Any]) -> None:
    """The officer's page, and a table with a row per number."""
    from revictimisation.dictionary import load_dictionary
    from revictimisation.report.review import Review, list_numbers, render_review

    dictionary = load_dictionary()
    numbers = list_numbers(protected.tables, dictionary)
    leaving = {path: h for name in LEAVING for path, h in list_outputs(work, name).items()}
    review = Review(work.plan, facts, numbers, protected.beside, leaving)
    files.write_text(folder / REVIEW, render_review(review, dictionary))
    stem, kind = REVIEW_TABLE.split(".")
    files.write_table(numbers, folder, stem, (kind,))


def list_outputs(work: Run, folder: str) -> dict[str, str]:
    """The files that the stages left in a folder of OUT, each with its hash."""
    return {
        path: h
        for stage in work.stages.values()
        for path, h in stage.outputs.items()
        if path.startswith(f"{folder}/")
    }


def _write_marks(folder: Path, work: Run, facts: Mapping[str, Any]) -> None:
    """Write RELEASED: where it lies beside the others, what lies there is no draft."""
    inside = {
        path.removeprefix(f"{RELEASE}/"): h for path, h in list_outputs(work, RELEASE).items()
    }
    beside = {path: h for name in (SITE, NOTEBOOKS) for path, h in list_outputs(work, name).items()}
    own = dict(sorted({**inside, **files.hash_files(folder)}.items()))
    files.write_json(folder / RELEASED, {**facts, "files": own, "beside": beside})


def _enter(
    register: Path,
    entries: Sequence[Entry],
    kept: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
) -> None:
    """Write a release into the register, which only its owner can read."""
    number = 1 + max((int(entry.name.partition("-")[0]) for entry in entries), default=0)
    name = f"{number:04d}-{facts['study']}-{facts['tables']}"
    with files.fill_folder(register, is_private=True) as stage:
        for table, frame in kept.items():
            files.write_table(frame, stage / name, table, ("parquet",))
        files.write_json(stage / name / FACTS, facts)


def make_kept(
    restricted: Mapping[str, pd.DataFrame], tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """What the register keeps of a release, by table."""
    from revictimisation.disclosure.register import make_entry

    return make_entry(restricted, tables)
