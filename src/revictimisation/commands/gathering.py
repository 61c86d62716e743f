"""What comes of a whole table of runs: what became of each row, all numbers beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from revictimisation.commands.compare import compare_runs
from revictimisation.commands.folders import (
    COMPARISON,
    GRID,
    MANIFEST,
    NOTEBOOKS,
    RELEASE,
    RESTRICTED,
)
from revictimisation.commands.grid_jobs import Job
from revictimisation.commands.manifest import find_changed, hash_code, tell_now, versions
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.plan.grid import GridRow

if TYPE_CHECKING:
    import pandas as pd

DONE, FAILED = "done", "failed"
ESTIMATES = "estimates"
MOST_RUNS = len(ascii_uppercase)  # that `compare` takes


@dataclass(frozen=True)
class Ending:
    """What ends a table once no row has failed: a notebook, and the rows held against the first."""

    summary: Path | None = None
    is_compared: bool = False


END = Ending()


def check_ending(ending: Ending, rows: Sequence[GridRow]) -> None:
    """Raise `UsageError` where a table cannot end so."""
    if ending.summary is not None:
        files.check_readable([ending.summary])
    n_estimated = sum(not row.is_notebook for row in rows)
    if ending.is_compared and not 2 <= n_estimated <= MOST_RUNS:
        raise UsageError(
            f"--compare kräver 2 till {MOST_RUNS} rader med run eller estimate; tabellen har"
            f" {n_estimated}. / --compare needs that many rows of run or estimate."
        )


def gather(jobs: Sequence[Job], grid: Path, out: Path, command: str, ending: Ending) -> None:
    """Write `runs`, the table itself, the numbers of all rows, and what all of it was made of.

    Once no row has failed it ends as asked, and the tables that runs shared go: they hold rows of
    people.
    """
    manifests = {
        job.name: (files.read_json(job.out / MANIFEST) or {}) if job.fault is None else {}
        for job in jobs
    }
    runs = {name: str(one.get("run", "")) for name, one in manifests.items()}
    with files.fill_folder(out) as stage:
        files.write_table(_describe_runs(jobs, runs), stage, "runs", ("csv", "parquet"))
        files.write_table(_describe_grid(jobs), stage, "grid", ("csv",))
        for folder in (RESTRICTED, RELEASE):
            found = _stack(jobs, folder)
            if found is not None:
                files.write_table(found, stage / folder, ESTIMATES, ("csv", "parquet"))
        if (stage / RESTRICTED).exists():
            files.guard_files(stage / RESTRICTED)
        outputs = files.hash_files(stage)
    known = files.read_json(out / GRID) or {}
    is_whole = all(job.fault is None for job in jobs)
    told = {
        "command": command,
        "started_at": known.get("started_at", tell_now()),
        "ended_at": tell_now(),
        "grid": files.hash_file(grid),
        "versions": versions(),
        "code": hash_code(),
        "runs": runs,
        "outputs": outputs,
        "endings": _end(ending, jobs, out, runs, known.get("endings", {})) if is_whole else {},
    }
    files.write_json(out / GRID, told, is_private=True)
    tables = [path for path in {job.tables for job in jobs} if is_whole and path.exists()]
    files.remove_paths(tables)


def _describe_runs(jobs: Sequence[Job], runs: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([
        {
            "row": job.name,
            "study": job.row.study,
            "data": job.row.data,
            "job": job.row.job,
            "status": DONE if job.fault is None else FAILED,
            "exit_code": job.exit_code,
            "message": "" if job.fault is None else str(job.fault),
            "run": runs[job.name],
        }
        for job in jobs
    ])  # fmt: skip


def _describe_grid(jobs: Sequence[Job]) -> pd.DataFrame:
    """The table itself, as it was read."""
    import pandas as pd

    rows = [job.row for job in jobs]
    return pd.DataFrame([
        {"name": row.name, "study": row.study, "data": row.data, "job": row.job, **row.cells}
        for row in rows
    ])  # fmt: skip


def _stack(jobs: Sequence[Job], folder: str) -> pd.DataFrame | None:
    """The estimates of all rows that have them, each with the name of its row first."""
    import pandas as pd

    parts = []
    for job in jobs:
        path = job.out / folder / f"{ESTIMATES}.parquet"
        if job.fault is None and path.is_file():
            found = files.read_table(path)
            found.insert(0, "row", job.name)
            parts.append(found)
    return pd.concat(parts, ignore_index=True) if parts else None


def _end(
    ending: Ending,
    jobs: Sequence[Job],
    out: Path,
    runs: Mapping[str, str],
    known: Mapping[str, Any],
) -> dict[str, Any]:
    """End a table of which no row failed; what was of the same runs before is not done again."""
    ended = {}
    if ending.summary is not None:
        digest = files.hash_file(ending.summary)
        name = ending.summary.name
        ended[name] = _redo(known.get(name, {}), [digest, runs], out,
                            partial(_summarise, ending.summary, out))  # fmt: skip
    if ending.is_compared:
        compared = [job.out for job in jobs if not job.row.is_notebook]
        ended[COMPARISON] = _redo(known.get(COMPARISON, {}), [runs], out,
                                  partial(_compare, compared, out))  # fmt: skip
    return ended


def _redo(
    before: Mapping[str, Any], key: list[Any], out: Path, do: Callable[[], dict[str, str]]
) -> Mapping[str, Any]:
    """Do something that leaves files (their hashes), unless it did so with the same key."""
    whole = [*key, hash_code()]
    if before.get("key") == whole and not find_changed(out, before["outputs"]):
        return before
    return {"key": whole, "outputs": do()}


def _summarise(source: Path, out: Path) -> dict[str, str]:
    """Execute the notebook that ends a table.

    It is given `grid`, the folder of all runs, and `out`, where it writes: the same once it ended.
    """
    name = f"{RESTRICTED}/{NOTEBOOKS}/{source.name}"
    with files.private_folder() as folder, files.fill_folder(out) as stage:
        places = {"grid": out.absolute(), "out": stage.absolute()}
        task = NotebookTask(source, out / name, dict.fromkeys(places, "../.."), places)
        files.copy_whole(execute_notebook(task, Path(folder)), stage / name)
        files.guard_files(stage / RESTRICTED)
        return files.hash_files(stage)


def _compare(runs: Sequence[Path], out: Path) -> dict[str, str]:
    """Hold the other runs against the first."""
    compare_runs(runs, out / COMPARISON)
    return {f"{COMPARISON}/{path}": h for path, h in files.hash_files(out / COMPARISON).items()}
