"""The command `share`: one small file of aggregates that a county may give others."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from revictimisation import __version__
from revictimisation.commands.folders import (
    RELEASE,
    RELEASED,
    RESTRICTED,
    SHARING,
    check_apart,
)
from revictimisation.commands.manifest import RELEASE as STAGE
from revictimisation.commands.manifest import Run, find_changed, reopen_run
from revictimisation.commands.options import FOLDER, jobs_option
from revictimisation.commands.progress import Progress
from revictimisation.commands.verify import tell_hash
from revictimisation.core import files
from revictimisation.core.errors import DataError, DisclosureError, UsageError

if TYPE_CHECKING:
    import pandas as pd

SHORT = 16  # signs of a hash that tells runs apart
MOMENTS = "hazard_moments"
PLACE = re.compile(r"[^\W_][\w .,()&-]{0,59}")


@click.command("share")
@click.argument("out", metavar="OUT", type=FOLDER)
@click.option(
    "--out",
    "file",
    type=FOLDER,
    required=True,
    help="Filen som görs, till exempel lan.zip. / The file that is made.",
)
@click.option(
    "--place",
    default=None,
    help="Vad länet heter i den gemensamma rapporten; annars studiens titel. / What the county is"
    " called in the joint report; else the study's title.",
)
@click.option(
    "--at",
    "asked",
    type=FOLDER,
    default=None,
    help="Filen ask.json från pool: svara på nästa fråga; kräver --data. / ask.json of pool: answer"
    " the next question; needs --data.",
)
@click.option(
    "--data",
    type=FOLDER,
    default=None,
    help="Mapp med utdraget, samma som körningens. / Folder of the extract, the run's own.",
)
@jobs_option
def command(
    out: Path, file: Path, place: str | None, asked: Path | None, data: Path | None, jobs: int
) -> None:
    """Gör en liten fil med sammanställda tal som länet får ge andra; ingen rad är en person.

    Make one small file of aggregates after disclosure control that other counties may be given, of
    what `run` left in OUT; no row of it is a person. The command `pool` puts several together.
    Exit code 5 where disclosure control lets nothing out.
    """
    click.echo(share_run(out, file, place, asked, data, jobs))


def share_run(
    out: Path,
    file: Path,
    place: str | None = None,
    asked: Path | None = None,
    data: Path | None = None,
    jobs: int = 1,
) -> str:
    """The command `share`: what was made, in a few lines."""
    from revictimisation.dictionary import load_dictionary
    from revictimisation.disclosure.hazard_ratios import choose_point
    from revictimisation.pooling.shared_file import pack_shared
    from revictimisation.pooling.shared_tables import make_shared

    _check_call(out, file, place, asked, data)
    with (
        Progress(2 if asked is None else 5) as progress,
        files.locked(out),
        files.private_folder() as scratch,
    ):
        progress.tell("read_release")
        work = reopen_run(out, Path(scratch), jobs)
        progress.languages = work.plan.languages[:1]
        released = _read_left(work, f"{RELEASE}/estimates.parquet")
        point = None
        if asked is None or data is None:
            moments = _read_moments(work, progress)
        else:
            point = choose_point(released, read_question(asked))
            moments = _answer(work, data, point, progress)
        progress.tell("disclosure")
        tables = make_shared(released, moments, work.plan, point)
        if not tables["effects"]["status"].eq("ok").any():
            raise DisclosureError(
                f"{out}: röjandekontrollen släpper inget av studiens huvudsvar, så det finns inget"
                " att dela. / Disclosure control lets out none of the study's main answers: there"
                " is nothing to share."
            )
        facts = describe_run(work, place)
        made = pack_shared(tables, facts, load_dictionary())
        files.write_bytes(file, made)
    draft = (
        "\nOBS: ett utkast. Kör revictimisation release först, så hålls talen mot tidigare"
        " utlämnanden. / A draft: use revictimisation release first."
        if facts["is_draft"]
        else ""
    )
    return (
        f"Klart / done: {file} ({len(made) // 1024 + 1} kB, {facts['place']})\n{tell_hash(file)}"
        f"\nLäs README.txt i filen innan den lämnas. / Read README.txt in it first.{draft}"
    )


def _check_call(
    out: Path, file: Path, place: str | None, asked: Path | None, data: Path | None
) -> None:
    files.check_folder(out)
    check_apart(file, [out, *([data] if data else [])])
    if place is not None and not PLACE.fullmatch(place):
        raise UsageError(
            "--place: högst 60 tecken, bokstäver, siffror, mellanslag och .,()&-, och en bokstav"
            " eller siffra först. / At most 60 letters, digits, spaces and .,()&-, the first a"
            " letter or digit."
        )
    if (asked is None) != (data is None):
        raise UsageError("--at och --data hör ihop. / --at and --data go together.")
    if file.is_dir() or (file.exists() and not _is_shared(file)):
        raise UsageError(
            f"{file} finns redan och är ingen fil från share. Ange ett annat namn. / It is there"
            " already and no file of share: name another."
        )
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{file}: mappen finns inte / the folder does not exist.")


def _is_shared(file: Path) -> bool:
    from revictimisation.pooling.shared_file import ABOUT, read_contents

    try:
        return ABOUT in read_contents(files.read_bytes(file), str(file))
    except DataError:
        return False


def _read_left(work: Run, path: str) -> pd.DataFrame:
    """A table as the run, or `release`, left it; `DisclosureError` if it is not."""
    known = {name: h for stage in work.stages.values() for name, h in stage.outputs.items()}
    if path not in known or find_changed(work.out, {path: known[path]}):
        raise DisclosureError(
            f"{work.out / path} är inte som körningen lämnade den. Kör revictimisation run igen. /"
            " It is not as the run left it. Use revictimisation run again."
        )
    return files.read_table(work.out / path)


def _read_moments(work: Run, progress: Progress) -> pd.DataFrame:
    path = f"{RESTRICTED}/{SHARING}/{MOMENTS}.parquet"
    if (work.out / RESTRICTED).exists():
        return _read_left(work, path)
    from revictimisation.analyses.hazard_moments import no_moments

    progress.note(
        f"{RESTRICTED}/ är gallrad: filen får inget om Coxmodellen. / It has been deleted: the file"
        " tells nothing of the Cox model."
    )
    return no_moments()


def _answer(work: Run, data: Path, point: Mapping[str, float], progress: Progress) -> pd.DataFrame:
    """The moments at a point, from the extract that the run read; `DataError` for another."""
    from revictimisation.analyses.hazard_moments import tabulate_moments
    from revictimisation.commands.estimate import prepare_data

    files.check_folder(data)
    if files.hash_files(data, "*") != work.inputs:
        raise DataError(
            f"{data} är inte det utdrag som körningen läste. / It is not the extract that the run"
            " read."
        )
    ready, _, _ = prepare_data(data, work.plan, work.jobs, progress)
    return tabulate_moments(ready, point)


def read_question(path: Path) -> Mapping[str, float]:
    """The point of ask.json, by measure; `UsageError` for what is none."""
    told = files.read_json(path) or {}
    point = told.get("point")
    if not isinstance(point, dict) or not all(
        isinstance(value, float | int) for value in point.values()
    ):
        raise UsageError(
            f"{path}: ingen fråga från revictimisation pool (ask.json). / It is no question of"
            " revictimisation pool."
        )
    return {str(name): float(value) for name, value in point.items()}


def describe_run(work: Run, place: str | None) -> dict[str, Any]:
    """What about.json says: whose file it is, under which rules, and what the study asks."""
    from revictimisation.pooling.shared_tables import describe_question

    plan = work.plan
    marks = files.read_json(work.out / RELEASE / RELEASED) if STAGE in work.stages else None
    question = describe_question(plan)
    whole = json.dumps(question, sort_keys=True)
    return {
        "place": place or plan.title_in(plan.languages[0]),
        "study": plan.name,
        "run": work.identity[:SHORT],
        "release": str((marks or {}).get("tables", "")),
        "released_on": str((marks or {}).get("released_on", "")),
        "is_draft": marks is None,
        "is_synthetic": work.is_synthetic,
        "version": __version__,
        "code": work.code[:SHORT],
        "rules": plan.disclosure.model_dump(),
        "pooled_share": plan.gates.pooled_share,
        "accrual": plan.accrual.model_dump(mode="json"),
        "data_end_on": plan.data_end_on.isoformat(),
        "question": question,
        "question_hash": hashlib.sha256(whole.encode()).hexdigest()[:SHORT],
    }
