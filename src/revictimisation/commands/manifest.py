"""The manifest: what a run read, what it left, and what therefore need not be done again.

`OUT/manifest.json` remembers each stage's key (a hash of everything the stage depends on: study
file, extract, our own code) and the hash of each file it left. A stage whose key and files still
hold is passed over, so an interrupted run resumes where it stopped and an unchanged one does
nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revictimisation import __version__
from revictimisation.commands import folders
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.plan import StudyPlan, read_plan

PACKAGES = ("revictimisation", "truth_studies")
# modules, texts, kept tables, the frame of a page
SOURCES = ("**/*.py", "**/*.yaml", "**/*.csv", "**/*.j2", "**/*.css")
IDENTITY_SIGNS = 16
VERSIONS = ("numpy", "pandas", "numba", "duckdb", "ibis-framework", "papermill")


@dataclass
class Run:
    """One OUT folder under work: the study, its inputs and what the manifest remembers."""

    study: Path
    data: Path
    out: Path
    command: str
    jobs: int
    plan: StudyPlan
    study_text: str
    inputs: dict[str, str]
    code: str
    stages: dict[str, Any] = field(default_factory=dict)
    started_at: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_synthetic(self) -> bool:
        """True if the extract was simulated: it carries its truth with it."""
        return any(name.startswith(("truth.", "simulation.")) for name in self.inputs)

    def key(self, *parts: object) -> str:
        """Hash of everything given and of what every stage depends on."""
        whole = [self.study_text, self.inputs, self.code, __version__, *parts]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def is_done(self, stage: str, key: str) -> bool:
        """True if the stage ran with this key and every file it left is still as it was."""
        known = self.stages.get(stage, {})
        if known.get("key") != key:
            return False
        return all(
            (self.out / path).is_file() and files.hash_file(self.out / path) == digest
            for path, digest in known["outputs"].items()
        )

    @property
    def identity(self) -> str:
        """A hash of the question, the extract and the exact results: the same for the same run."""
        exact = self.list_outputs(folders.RESTRICTED)
        tables = {path: h for path, h in exact.items() if path.count("/") == 1}
        whole = json.dumps([self.study_text, self.inputs, tables], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:IDENTITY_SIGNS]

    def list_outputs(self, folder: str) -> dict[str, str]:
        """The files that the stages left in a folder of OUT, each with its hash."""
        return {
            path: h
            for stage in self.stages.values()
            for path, h in stage["outputs"].items()
            if path.startswith(f"{folder}/")
        }

    @property
    def is_whole(self) -> bool:
        """True if every file that any stage left is still as it was."""
        return all(self.is_done(stage, known["key"]) for stage, known in self.stages.items())

    @contextmanager
    def finish(self, stage: str, key: str) -> Iterator[Path]:
        """A folder for a stage's files: they and the manifest take their places in OUT together."""
        with self.lock, files.fill_folder(self.out) as folder:
            yield folder
            outputs = files.hash_files(folder)
            if outputs != self.stages.get(stage, {}).get("outputs", {}):
                folders.withdraw(self.out)  # what was released is no longer what is here
            self.stages[stage] = {"key": key, "outputs": outputs}
            files.write_json(folder / folders.MANIFEST, self.manifest())

    def manifest(self) -> dict[str, Any]:
        """What the manifest holds (contract, section 3)."""
        outputs = {
            path: h for stage in self.stages.values() for path, h in stage["outputs"].items()
        }
        return {
            "study": self.plan.name,
            "study_file": self.study_text,
            "command": self.command,
            "started_at": self.started_at,
            "ended_at": _now(),
            "seed": self.plan.bootstrap.seed,
            "is_synthetic": self.is_synthetic,
            "versions": versions(),
            "inputs": self.inputs,
            "outputs": dict(sorted(outputs.items())),
            "stages": self.stages,
        }


def versions() -> dict[str, str]:
    """Versions of Python, of this software and of the libraries that make the numbers."""
    import platform
    from importlib.metadata import version

    found = {name: version(name) for name in VERSIONS}
    return {"python": platform.python_version(), "revictimisation": __version__, **found}


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def hash_code() -> str:
    """One hash of all that decides a result or a page but is no input: ours, and the dictionary."""
    beside = files.package_file().parent
    ours = [files.hash_files(beside / name, kind) for name in PACKAGES for kind in SOURCES]
    known = files.hash_files(files.resource_dir("data_dictionary"))
    whole = json.dumps([*ours, known], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def open_run(study: Path, data: Path, out: Path, command: str, jobs: int) -> Run:
    """Read the study file and hash the extract; take over what an earlier run left in OUT.

    Raises `UsageError` for a missing study file or extract and for an OUT that is not ours to
    write to, `StudyError` for a study file that does not conform.
    """
    text = files.read_text(study)
    plan = read_plan(text)
    files.check_folder(data)
    folders.check_apart(out, [data])
    folders.check_own(out, "run")
    known = files.read_json(out / folders.MANIFEST) or {}
    return Run(
        study=study,
        data=data,
        out=out,
        command=command,
        jobs=jobs,
        plan=plan,
        study_text=text,
        inputs=files.hash_files(data, "*"),
        code=hash_code(),
        stages=known.get("stages", {}),
        started_at=_now(),
    )


def reopen_run(study: Path, out: Path, jobs: int) -> Run:
    """What an earlier run left in OUT, by its manifest; its study file is written to `study`.

    The extract need not be there. Raises `UsageError` for a folder that no run has filled.
    """
    files.check_folder(out)
    known = files.read_json(out / folders.MANIFEST)
    if known is None or not {"study_file", "inputs", "stages", "command"} <= known.keys():
        raise UsageError(
            f"{out} är inte en mapp från en körning: {folders.MANIFEST} saknas eller är skadad. Kör"
            f" revictimisation run först. / It is no folder of a run: {folders.MANIFEST} is missing"
            " or damaged. Use revictimisation run first."
        )
    text = str(known["study_file"])
    files.write_text(study, text)
    return Run(
        study=study,
        data=out / "no_extract",
        out=out,
        command=str(known["command"]),
        jobs=jobs,
        plan=read_plan(text),
        study_text=text,
        inputs=known["inputs"],
        code=hash_code(),
        stages=known["stages"],
        started_at=str(known.get("started_at", "")),
    )
