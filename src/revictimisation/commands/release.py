"""The command `release`: from a draft to what may leave, beside all that left before."""

from __future__ import annotations

import datetime as dt
import hashlib
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
from revictimisation.commands.manifest import Run, reopen_run
from revictimisation.commands.options import FOLDER, jobs_option
from revictimisation.commands.progress import Progress
from revictimisation.commands.run import AUTHORS_ONLY, list_notebooks, run_notebooks, run_site
from revictimisation.core import files
from revictimisation.core.errors import DisclosureError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.disclosure.register import Earlier
    from revictimisation.disclosure.release import Protected

TABLES = ("estimates", "attrition", "diagnostics")
FACTS = "release.json"
LEAVING = (RELEASE, SITE, NOTEBOOKS)


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
@jobs_option
def command(
    out: Path, more: tuple[Path, ...], previous: tuple[Path, ...], register: Path | None, jobs: int
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
    release_run(out, (*previous, *more), where, jobs)
    click.echo(f"Klart / done: {out / RELEASE / REVIEW}")
    click.echo(f"Register (lämnar aldrig rummet / never leaves the room): {where}")


@dataclass(frozen=True)
class Entry:
    """A release in the register: its number and name, what is known of it, and its counts."""

    name: str
    facts: Mapping[str, Any]
    earlier: Earlier


def release_run(out: Path, previous: Sequence[Path], register: Path, jobs: int) -> None:
    """The command `release`; raises `DisclosureError`, and clears what was to leave, if refused."""
    with Progress(4) as progress, files.private_folder() as scratch:
        from revictimisation.disclosure.register import make_entry

        progress.tell("read_release")
        work = reopen_run(Path(scratch) / "study.yaml", out, jobs)
        progress.languages = work.plan.languages[:1]
        folders.check_apart(register, [out])
        try:
            entries = read_register(register)
            earlier = [read_previous(path, work) for path in previous]
            folders.withdraw(out)
            progress.tell("disclosure")
            restricted = read_restricted(work)
            protected, own = protect_run(work, restricted, entries, earlier)
        except DisclosureError:
            _clear(out, progress)
            raise
        _make_pages(work, _write_tables(work, protected.tables), progress)
        _set_aside(work, progress)
        progress.tell("review")
        facts = _describe(work, protected, own)
        _write_review(work, protected, facts)
        if own is None:
            name = f"{_find_number(entries):04d}-{work.plan.name}-{facts['tables'][:12]}"
            _enter(register, name, make_entry(restricted, protected.tables), facts)
        _mark_released(work, facts)


def read_register(register: Path) -> list[Entry]:
    """All releases in the register, the first first; `DisclosureError` for one that is damaged."""
    from revictimisation.disclosure.register import KEPT, take_exact
    from revictimisation.plan import Disclosure

    found = []
    for name in files.list_entries(register):
        folder = register / name
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
    from revictimisation.commands.pipeline import list_places, measure_classes
    from revictimisation.dictionary import load_dictionary
    from revictimisation.disclosure.release import protect

    classes = measure_classes(work.plan, load_dictionary())

    def beside(before: Sequence[Entry]) -> Protected:
        earlier = [*(entry.earlier for entry in before), *previous]
        return protect(restricted, work.plan.disclosure, classes, list_places(work.plan), earlier)

    for number, entry in enumerate(entries):
        if entry.facts["run"] == work.identity:
            same = beside(entries[:number])
            if hash_tables(same.tables) == entry.facts["tables"]:
                return same, entry
    return beside(entries), None


def read_restricted(work: Run) -> dict[str, pd.DataFrame]:
    """The exact tables of the run; `DisclosureError` if they are not as the run left them."""
    outputs = work.list_outputs(RESTRICTED)
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
    """A hash of released tables, whatever files they stand in."""
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update(tables[name].to_csv(index=False, lineterminator="\n").encode())
    return digest.hexdigest()


def _clear(out: Path, progress: Progress) -> None:
    """Leave nothing of what was to leave: tables, pages and notebooks hold the same numbers."""
    folders.withdraw(out)
    for name in LEAVING:
        files.remove_folder(out / name)
    progress.note(
        f"Inget lämnas ut; {', '.join(f'{out / name}' for name in LEAVING)} är tömda. / Nothing is"
        " released; they are emptied."
    )


def _write_tables(work: Run, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Put the tables into OUT/release, known to the manifest. True if they are not the draft's."""
    outputs = work.stages["estimate"]["outputs"]
    before = work.list_outputs(RELEASE)
    with files.fill_folder(work.out) as stage:
        for name, table in tables.items():
            files.write_table(table, stage / RELEASE, name, ("csv", "parquet"))
        outputs |= files.hash_files(stage)
        files.write_json(stage / MANIFEST, work.manifest())
    return work.list_outputs(RELEASE) != before


def _make_pages(work: Run, has_changed: bool, progress: Progress) -> None:
    """Make the run's pages and notebooks anew where they are not of these tables."""
    if "site" in work.stages:
        progress.skip(-1)
        run_site(work, progress)
    tasks = [
        task
        for task in list_notebooks(work)
        if task.stage in work.stages and task.source.name != AUTHORS_ONLY
    ]
    due = [
        task
        for task in tasks
        if has_changed or not work.is_done(task.stage, work.stages[task.stage]["key"])
    ]
    if due:
        progress.skip(-len(due))
        run_notebooks(work, due, progress)


def _set_aside(work: Run, progress: Progress) -> None:
    """Move what no stage left out of the folders that leave: nobody has looked at it."""
    for name in LEAVING:
        known = work.list_outputs(name)
        for path in files.list_below(work.out / name):
            if f"{name}/{path}" not in known:
                kept = files.move_into(work.out / name / path, work.out / RESTRICTED / SET_ASIDE)
                progress.note(
                    f"{work.out / name / path} hör inte till körningen och flyttades till {kept}. /"
                    " It is not of the run and was moved."
                )


def _describe(work: Run, protected: Protected, own: Entry | None) -> dict[str, Any]:
    """What RELEASED, the review and the register say of this release; the files are yet to come."""
    return {
        "study": work.plan.name,
        "run": work.identity,
        "tables": hash_tables(protected.tables),
        "released_on": own.facts["released_on"] if own else dt.date.today().isoformat(),
        "version": __version__,
        "is_synthetic": work.is_synthetic,
        "rules": work.plan.disclosure.model_dump(),
    }


def _write_review(work: Run, protected: Protected, facts: Mapping[str, Any]) -> None:
    from revictimisation.dictionary import load_dictionary
    from revictimisation.report.review import Review, list_numbers, render_review

    review = Review(
        plan=work.plan,
        facts=facts,
        tables=protected.tables,
        beside=protected.beside,
        files=_hash_leaving(work.out),
    )
    dictionary = load_dictionary()
    text = render_review(review, dictionary)
    with files.fill_folder(work.out / RELEASE) as stage:
        files.write_text(stage / REVIEW, text)
        stem, kind = REVIEW_TABLE.split(".")
        files.write_table(list_numbers(protected.tables, dictionary), stage, stem, (kind,))


def _hash_leaving(out: Path) -> dict[str, str]:
    """The hash of every file that leaves, by its path in OUT."""
    return {
        f"{name}/{path}": digest
        for name in LEAVING
        for path, digest in files.hash_files(out / name).items()
    }


def _find_number(entries: Sequence[Entry]) -> int:
    """The number of the next release in the register."""
    return 1 + max((int(entry.name.partition("-")[0]) for entry in entries), default=0)


def _enter(
    register: Path, name: str, entry: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]
) -> None:
    """Write a release into the register, which only its owner can read."""
    with files.fill_folder(register, is_private=True) as stage:
        for table, kept in entry.items():
            files.write_table(kept, stage / name, table, ("parquet",))
        files.write_json(stage / name / FACTS, facts)
        files.guard_files(stage / name)
    files.guard_files(register)


def _mark_released(work: Run, facts: Mapping[str, Any]) -> None:
    """Write RELEASED, the last file: from here on what lies there is no draft."""
    leaving = _hash_leaving(work.out)
    inside = f"{RELEASE}/"
    own = {path.removeprefix(inside): h for path, h in leaving.items() if path.startswith(inside)}
    beside = {path: h for path, h in leaving.items() if not path.startswith(inside)}
    files.write_json(work.out / RELEASE / RELEASED, {**facts, "files": own, "beside": beside})
