"""The command `verify`: does the manifest hold, and do the same inputs give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from revictimisation.commands import folders
from revictimisation.commands.manifest import (
    ESTIMATE,
    RELEASE,
    Stage,
    find_changed,
    hash_code,
    read_stages,
    read_unfinished,
    versions,
)
from revictimisation.commands.options import FOLDER, jobs_option, name_call
from revictimisation.core import files
from revictimisation.core.errors import DataError, UsageError

MISSING, CHANGED = "saknas / missing", "ändrad / changed"
UNKNOWN, OTHER = "okänd / unknown", "andra byte / other bytes"
INPUT_MISSING, INPUT_CHANGED = "indata saknas / input missing", "indata ändrade / input changed"
INPUT_UNKNOWN = "nya indata / new input"
SHORT = 16  # signs of a hash that are shown
BESIDE = (folders.SITE, folders.NOTEBOOKS)  # what lies beside a release


@click.command("verify")
@click.argument("out", metavar="OUT", type=FOLDER)
@click.option(
    "--data",
    type=FOLDER,
    default=None,
    help="Mapp med utdraget: är det samma som då? / Folder of the extract: is it the same?",
)
@click.option(
    "--rerun",
    is_flag=True,
    help="Gör om körningen i en tillfällig mapp och jämför byte för byte; kräver --data. / Do the "
    "run again in a temporary folder and compare; needs --data.",
)
@jobs_option
def command(out: Path, data: Path | None, rerun: bool, jobs: int) -> None:
    """Kontrollera att resultaten är de som manifestet säger, och att de går att göra om.

    Check that every file of a run is there as the manifest says and nothing beside; with --rerun,
    that the same inputs give the same bytes. Of what was handed over without a manifest: that it is
    as RELEASED says. Exit code 3 with a list of what differs.
    """
    click.echo(verify_folder(out, data, is_rerun=rerun, jobs=jobs))


def verify_folder(
    out: Path, data: Path | None = None, *, is_rerun: bool = False, jobs: int = 1
) -> str:
    """What holds, as a sentence; `DataError` with all that does not. OUT is not touched."""
    if is_rerun and data is None:
        raise UsageError("--rerun kräver --data MAPP. / --rerun needs --data FOLDER.")
    files.check_folder(out)
    if data is not None:
        files.check_folder(data)
    elif not (out / folders.MANIFEST).exists() and (marks := find_marks(out)):
        return verify_release(marks)
    with files.locked(out):
        manifest, stages = _read_manifest(out)
        found = [*_compare_outputs(out, manifest, stages)]
        if data is not None:
            found += _compare_inputs(data, manifest)
        _refuse(found, out)
        outputs = _list_outputs(stages)
        gone = _list_deleted(out, outputs)
        n_files = len(outputs) - len(gone)
        told = (
            f"{out}: {n_files} filer är som manifestet säger / files are as the manifest says"
            f"\n{tell_hash(out / folders.MANIFEST)}"
        )
        if marks := find_marks(out):
            told += f"\n{tell_hash(marks)}"
        told += _tell_code(manifest)
        if gone:
            told += (
                f"\n{folders.RESTRICTED}/ är gallrad: {len(gone)} filer finns inte att pröva / has"
                f" been deleted: {len(gone)} files are not there to be checked"
            )
        if is_rerun and data is not None:
            n_same = _rerun(out, data, manifest, stages, jobs)
            told += f"\n{n_same} filer blev lika byte för byte / files came out the same bytes"
    return told


def find_marks(folder: Path) -> Path | None:
    """RELEASED in a folder, or in its folder `release`."""
    places = (folder / folders.RELEASE, folder)
    return next((p / folders.RELEASED for p in places if (p / folders.RELEASED).is_file()), None)


def tell_hash(path: Path) -> str:
    """A file that vouches for others, and its own hash, for somebody else to keep."""
    return f"{path.name}, SHA-256: {files.hash_file(path)}"


def verify_release(marks: Path) -> str:
    """What holds of a release as it was handed over; `DataError` with all that does not.

    Pages and notebooks need not lie beside it; what lies there is held against it.
    """
    told = files.read_json(marks) or {}
    folder = marks.parent
    root = folder.parent if folder.name == folders.RELEASE else None
    beside = [name for name in BESIDE if root and (root / name).is_dir()]
    if not all(isinstance(told.get(name), dict) for name in ("files", "beside")):
        raise DataError(f"{marks} är skadad / is damaged.")
    there = {folder / path: h for path, h in told["files"].items()}
    if root:
        kept = {path: h for path, h in told["beside"].items() if path.split("/")[0] in beside}
        there |= {root / path: h for path, h in kept.items()}
    known = {path for path in there if path.is_file()}
    found = [f"{MISSING}: {path}" for path in there if path not in known]
    found += [f"{CHANGED}: {path}" for path in known if files.hash_file(path) != there[path]]
    places = [folder, *(root / name for name in beside if root)]
    found += [f"{UNKNOWN}: {place / path}" for place in places for path in files.list_below(place)
              if place / path not in {*there, marks}]  # fmt: skip
    _refuse(sorted(found), folder, by=folders.RELEASED)
    absent = ", ".join(name for name in BESIDE if name not in beside and told["beside"])
    more = f"\nInte med / not here: {absent}" if absent else ""
    return (
        f"{folder}: {len(there)} filer är som {folders.RELEASED} säger / files are as it says"
        f"{more}\n{tell_hash(marks)}{_tell_code(told)}"
    )


def _tell_code(told: Mapping[str, Any]) -> str:
    """A line where the code that made it, as a manifest or RELEASED tells, is another than this."""
    then, now = str(told.get("code", "")), hash_code()
    if now.startswith(then):  # nothing where neither tells it
        return ""
    return (
        "\nGjord av en annan version av programmets kod / made by another version of the code:"
        f" {then[:SHORT]}, här / here {now[:SHORT]}"
    )


def _read_manifest(out: Path) -> tuple[Mapping[str, Any], Mapping[str, Stage]]:
    manifest = files.read_json(out / folders.MANIFEST)
    stages = read_stages(manifest or {})
    parts = ((manifest or {}).get(name) for name in ("inputs", "outputs", "versions"))
    is_whole = all(isinstance(part, dict) for part in parts)
    if not manifest or not stages or not is_whole or "study_file" not in manifest:
        raise DataError(
            f"{out} har inget helt {folders.MANIFEST}: inget intygar vad som ligger där. Kör om. / "
            "It has no whole manifest: nothing vouches for what lies there. Run again."
        )
    return manifest, stages


def _list_outputs(stages: Mapping[str, Stage]) -> dict[str, str]:
    return {path: h for stage in stages.values() for path, h in stage.outputs.items()}


def _compare_outputs(
    out: Path, manifest: Mapping[str, Any], stages: Mapping[str, Stage]
) -> Iterator[str]:
    """A line for each file that is not as the manifest says, or that it does not know."""
    outputs = _list_outputs(stages)
    gone = _list_deleted(out, outputs)
    for path in find_changed(out, {p: h for p, h in outputs.items() if p not in gone}):
        yield f"{CHANGED if (out / path).is_file() else MISSING}: {path}"
    told = manifest["outputs"]
    for path, _ in sorted({*told.items()} ^ {*outputs.items()}, key=str):
        yield f"{CHANGED}: {folders.MANIFEST} ({path})"
    for path in sorted({*files.list_below(out)} - outputs.keys() - {folders.MANIFEST}):
        half = " (halvfärdig / unfinished)" if path in read_unfinished(manifest) else ""
        yield f"{UNKNOWN}: {path}{half}"


def _list_deleted(out: Path, outputs: Mapping[str, str]) -> set[str]:
    """The files of a run's `restricted`, where the folder is gone as `delete` leaves it."""
    if (out / folders.RESTRICTED).exists():
        return set()
    return {path for path in outputs if path.startswith(f"{folders.RESTRICTED}/")}


def _compare_inputs(data: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    then, now = manifest["inputs"], files.hash_files(data, "*")
    for name in sorted({*then, *now}):
        if name not in now:
            yield f"{INPUT_MISSING}: {name}"
        elif name not in then:
            yield f"{INPUT_UNKNOWN}: {name}"
        elif then[name] != now[name]:
            yield f"{INPUT_CHANGED}: {name}"


def _refuse(found: list[str], where: Path, more: str = "", by: str = "") -> None:
    if found:
        listed = "\n".join(f"  {line}" for line in found)
        raise DataError(
            f"{where}: {len(found)} filer är inte som {by or 'manifestet'} säger. / {len(found)} "
            f"files are not as {by or 'the manifest'} says.\n{listed}{more}"
        )


def _rerun(
    out: Path, data: Path, manifest: Mapping[str, Any], stages: Mapping[str, Stage], jobs: int
) -> int:
    """Do the run again elsewhere; how many files came out the same, `DataError` where any did not.

    What the command `release` left has its own checks and is not done again; where it suppressed
    more than the run did, for the sake of earlier releases, the exact results are compared alone.
    """
    from revictimisation.commands.estimate import estimate_study
    from revictimisation.commands.run import run_study

    if ESTIMATE not in stages:
        raise UsageError(
            "--rerun gör inte om en notebook i en tabell av körningar: kör run-many igen, till en"
            " annan mapp. / It does not do a notebook of a table of runs again: use run-many,"
            " into another folder."
        )
    redo = run_study if stages.keys() - {ESTIMATE, RELEASE} else estimate_study
    with files.private_folder() as folder:
        study, again = Path(folder, "study.yaml"), Path(folder, "out")
        files.write_text(study, str(manifest["study_file"]))
        redo(study, data, again, name_call(), jobs)
        then = _list_outputs({name: one for name, one in stages.items() if name != RELEASE})
        made = read_stages(files.read_json(again / folders.MANIFEST) or {})
        now = _list_outputs(made)
    marks = files.read_json(out / folders.RELEASE / folders.RELEASED) or {}
    if not marks.get("is_as_drafted", True):
        then, now = ({path: h for path, h in hashes.items() if path.startswith(folders.RESTRICTED)}
                     for hashes in (then, now))  # fmt: skip
    other = [path for path in then if path in now and now[path] != then[path]]
    found = [f"{OTHER}: {path}" for path in sorted(other)]
    found += [f"{MISSING}: {path}" for path in sorted(then.keys() - now.keys())]
    found += [f"{UNKNOWN}: {path}" for path in sorted(now.keys() - then.keys())]
    _refuse(found, out, _explain_difference(manifest))
    return len(then)


def _explain_difference(manifest: Mapping[str, Any]) -> str:
    """Which versions are others than then, as a closing line; every Parquet file, page and notebook
    tells the identity of its run, and so differs where the software does.
    """
    then, now = manifest["versions"], versions()
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    if not names and manifest.get("code") == hash_code():
        return ""
    shown = ", ".join(f"{name} {then.get(name, '–')} → {now.get(name, '–')}" for name in names)
    return (
        f"\nProgrammet är ett annat än då / the software is another than then: {shown or 'code'}. "
        "Parquet, sidor och notebooks bär körningens fingeravtryck och skiljer sig därför alltid; "
        "CSV gör det bara om tal gör det. / Parquet, pages and notebooks carry the run's "
        "fingerprint and therefore always differ; CSV only where numbers do."
    )
