"""The manifest: what a run read, what it left, and what therefore need not be done again.

`OUT/manifest.json` remembers each stage's key (a hash of everything the stage depends on: study
file, extract, every file of our own, the versions of all libraries) and the hash of each file it
left. A stage whose key and files still hold is passed over, so an interrupted run resumes where it
stopped and an unchanged one does nothing. Where a stage is done anew, what depends on it is first
taken out of the manifest, then removed: nothing of an earlier study is vouched for by a later one.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revictimisation import __version__
from revictimisation.commands import folders
from revictimisation.core import files, interruption
from revictimisation.core.engine_options import EMBEDDED, EngineOptions
from revictimisation.core.errors import DataError, RevictimisationError, UsageError
from revictimisation.plan import StudyPlan, read_plan

PACKAGES = ("revictimisation", "truth_studies")
COMPILED = (".pyc", ".nbi", ".nbc")  # made of the package's files, by whoever runs it
EDITOR = "jupyterlab"  # where researchers change notebooks; makes no number and no page
ESTIMATE, WHOLE = "estimate", "run"  # the stage that all others stand on, and the one on all others
RELEASE = "release"  # the stage of the command of that name: it stands on all, and no run does it
TABLES_SIGNS = 16  # of the hash that shared tables are known by
RUN = "revictimisation_run"  # what the identity of a run is called in what it leaves


@dataclass(frozen=True)
class Stage:
    """A stage that is done: the key it was done with, and the hash of each file it left."""

    key: str
    outputs: Mapping[str, str]


@dataclass
class Run:
    """One OUT folder under work: the study, its inputs and what the manifest remembers.

    `tables`: where the tables are kept that runs share.
    """

    study: Path
    data: Path
    out: Path
    command: str
    jobs: int
    plan: StudyPlan
    study_text: str
    inputs: dict[str, str]
    stamps: dict[str, tuple[int, ...]]
    code: str
    stages: dict[str, Stage] = field(default_factory=dict)
    unfinished: frozenset[str] = frozenset()
    started_at: str = ""
    tables: Path | None = None
    engine: EngineOptions = EMBEDDED
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_synthetic(self) -> bool:
        """True if the extract was simulated: it carries its truth with it."""
        return any(name.startswith(("truth.", "simulation.")) for name in self.inputs)

    @functools.cached_property
    def identity(self) -> str:
        """What the run is: one hash of the study file, the extract, our own files and libraries."""
        return self.key()

    @property
    def about(self) -> dict[str, str]:
        """What every table, page and notebook of the run says of where it comes from."""
        return {RUN: self.identity}

    def key(self, *parts: object) -> str:
        """Hash of everything given and of what every stage depends on."""
        whole = [self.study_text, self.inputs, self.code, versions(), *parts]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def find_tables(self) -> Path:
        """Where this study's tables are kept, in `tables`: by all that they depend on."""
        from revictimisation.cohort.kept_tables import describe_tables

        assert self.tables is not None
        whole = [describe_tables(self.plan), self.inputs, self.code, versions()]
        digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
        return self.tables / digest[:TABLES_SIGNS]

    def outputs_of(self, stage: str) -> Mapping[str, str]:
        """The hash of each file that a stage left; empty where it is not done."""
        return self.stages[stage].outputs if stage in self.stages else {}

    def is_done(self, stage: str, key: str) -> bool:
        """True if the stage ran with this key and every file it left is still as it was."""
        known = self.stages.get(stage)
        return known is not None and known.key == key and not find_changed(self.out, known.outputs)

    @property
    def is_whole(self) -> bool:
        """True if every file that any stage left is still as it was."""
        return all(self.is_done(stage, known.key) for stage, known in self.stages.items())

    @contextmanager
    def finish(self, stage: str, key: str) -> Iterator[Path]:
        """A folder for a stage's files, which then take their places in OUT.

        The manifest first lets go of what is about to change and of all that depends on it, which
        is removed where the stage does not leave it anew; it vouches for the new files at the end.
        Nothing is put in place where what the run reads was changed meanwhile.
        """
        with self.lock, files.stage_in(self.out) as folder:
            yield folder
            self.check_unchanged(is_thorough=stage in (ESTIMATE, WHOLE))
            if (folder / folders.RESTRICTED).exists():
                files.guard_files(folder / folders.RESTRICTED)
            made = files.hash_files(folder)
            with interruption.uncut:
                self._let_go(self._list_overtaken(stage), made)
                files.publish(folder, self.out, last=folders.RELEASED)
                self._remember({**self.stages, stage: Stage(key, made)})

    @contextmanager
    def revise(self, stage: str) -> Iterator[Path]:
        """A folder for new files in place of some that a stage left; its others stay as they are.

        Until they all are in place the stage does not hold.
        """
        with self.lock, files.stage_in(self.out) as folder:
            yield folder
            made = files.hash_files(folder)
            with interruption.uncut:
                files.publish(folder, self.out)
                known = self.stages[stage]
                revised = Stage(known.key, {**known.outputs, **made})
                self._remember({**self.stages, stage: revised}, self.unfinished)

    def keep_only(self, stages: Collection[str]) -> None:
        """Let go of stages that the study no longer asks for, and remove what they left."""
        gone = self.stages.keys() - set(stages)
        if gone or self.unfinished:
            with self.lock, interruption.uncut:
                self._let_go(gone)
                self._remember(self.stages)

    def tell_unfinished(self, path: Path) -> None:
        """Remember a file of ours that shows where a stage failed: it goes when that is done."""
        with self.lock:
            name = path.relative_to(self.out).as_posix()
            self._remember(self.stages, self.unfinished | {name})

    def list_unknown(self) -> list[str]:
        """What lies in OUT and is of no run; it is never touched."""
        return sorted({*files.list_below(self.out)} - self._list_known() - {folders.MANIFEST})

    def check_unchanged(self, *, is_thorough: bool = False) -> None:
        """Raise where what the run reads, or is, was changed since it began.

        Files are asked for the moment of their last change; where `is_thorough`, for their content
        too.
        """
        if files.stamp_files(self.data) != self.stamps or (
            is_thorough and files.hash_files(self.data, "*") != self.inputs
        ):
            raise DataError(
                f"Uttaget {self.data} har ändrats medan det lästes. Inget skrevs; kör samma "
                "kommando igen, när ingen annan skriver där. / The extract was changed while it was"
                " read. Nothing was written: run the same command again when nobody writes there."
            )
        if is_thorough and hash_code() != self.code:
            raise RevictimisationError(
                "Programmet har ändrats under körningen. Inget skrevs; kör samma kommando igen. / "
                "The software was changed during the run. Nothing was written: run it again."
            )

    def _list_overtaken(self, stage: str) -> set[str]:
        """The stages that no longer hold once this one is done anew, itself among them."""
        if stage == ESTIMATE:
            return {*self.stages}
        above = set() if stage in (WHOLE, RELEASE) else {WHOLE, RELEASE}
        return {stage, *above} & self.stages.keys()

    def _list_known(self) -> set[str]:
        outputs = {path for stage in self.stages.values() for path in stage.outputs}
        return outputs | self.unfinished

    def _let_go(self, stages: Collection[str], made: Collection[str] = ()) -> None:
        """Vouch neither for these stages nor for what is about to be made; remove the rest of them.

        A file is of the stage that wrote it last.
        """
        kept = {
            name: Stage(
                stage.key, {path: h for path, h in stage.outputs.items() if path not in made}
            )
            for name, stage in self.stages.items()
            if name not in stages
        }
        held = {path for stage in kept.values() for path in stage.outputs}
        gone = self._list_known() - held - {*made}
        self._remember(kept, frozenset({*made, *gone}))
        files.remove_below(self.out, sorted(gone))

    def _remember(self, stages: dict[str, Stage], unfinished: frozenset[str] = frozenset()) -> None:
        """Write the manifest; what it says counts once it is written."""
        path = self.out / folders.MANIFEST
        files.write_json(path, self._describe(stages, unfinished), is_private=True)
        self.stages, self.unfinished = stages, unfinished

    def _describe(self, stages: Mapping[str, Stage], unfinished: Collection[str]) -> dict[str, Any]:
        """What the manifest holds (contract, section 3)."""
        outputs = {path: h for stage in stages.values() for path, h in stage.outputs.items()}
        return {
            "study": self.plan.name,
            "study_file": self.study_text,
            "command": self.command,
            "started_at": self.started_at,
            "ended_at": tell_now(),
            "seed": self.plan.bootstrap.seed,
            "is_synthetic": self.is_synthetic,
            "run": self.identity,
            "versions": versions(),
            "code": self.code,
            "inputs": self.inputs,
            "outputs": dict(sorted(outputs.items())),
            "unfinished": sorted(unfinished),
            "stages": {
                name: {"key": stage.key, "outputs": dict(stage.outputs)}
                for name, stage in stages.items()
            },
        }


def find_changed(folder: Path, outputs: Mapping[str, str]) -> list[str]:
    """Files of a folder that are not there or not as their hash says."""
    return [
        path
        for path, digest in outputs.items()
        if not (folder / path).is_file() or files.hash_file(folder / path) != digest
    ]


def read_stages(manifest: Mapping[str, Any]) -> dict[str, Stage]:
    """The stages of a manifest that is whole; one that is damaged has none."""
    known = manifest.get("stages")
    found = {}
    for name, stage in known.items() if isinstance(known, dict) else ():
        told = stage if isinstance(stage, dict) else {}
        key, outputs = told.get("key"), told.get("outputs")
        if not isinstance(key, str) or not isinstance(outputs, dict):
            return {}
        if not all(isinstance(digest, str) for digest in outputs.values()):
            return {}
        found[name] = Stage(key, outputs)
    return found


def read_unfinished(manifest: Mapping[str, Any]) -> frozenset[str]:
    """What was about to be written, or removed, when a run was stopped by force."""
    told = manifest.get("unfinished")
    names = told if isinstance(told, list) else []
    return frozenset(name for name in names if isinstance(name, str))


@functools.cache
def versions() -> dict[str, str]:
    """Versions of this software, Python, the machine's kind and every library we stand on."""
    import platform

    own = {"python": platform.python_version(), "revictimisation": __version__}
    kind = {"platform": f"{platform.system()} {platform.machine()}"}
    return {**own, **kind, **_list_libraries()}


def _list_libraries() -> dict[str, str]:
    """Every library that is needed, by what each says it needs, and its version.

    All that are installed, where we are not: nothing then says what we need.
    """
    from importlib.metadata import PackageNotFoundError, distribution, distributions

    try:
        wanted = _list_needs(distribution(PACKAGES[0]).requires, has_extras=True)
    except PackageNotFoundError:
        wanted = {_simplify(str(one.name)) for one in distributions()}
    found: dict[str, str] = {}
    while wanted:
        name = wanted.pop()
        try:
            one = distribution(name)
        except PackageNotFoundError:  # for another system, or an extra that nobody asked for
            continue
        found[name] = one.version
        wanted |= _list_needs(one.requires) - found.keys()
    return dict(sorted(found.items()))


def _list_needs(requirements: Collection[str] | None, *, has_extras: bool = False) -> set[str]:
    asked = [one for one in requirements or () if has_extras or "extra ==" not in one]
    names = {_simplify(re.split(r"[^A-Za-z0-9._-]", one.strip(), maxsplit=1)[0]) for one in asked}
    return names - {EDITOR}


def _simplify(name: str) -> str:
    """A distribution's name as all spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def tell_now() -> str:
    """The moment, as manifests have it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def hash_code() -> str:
    """One hash of all that decides a result or a page but is no input: every file of ours."""
    beside = files.package_file().parent
    places = [*(beside / name for name in PACKAGES), files.resource_dir("data_dictionary")]
    ours = [files.hash_files(place, without=COMPILED) for place in places]
    return hashlib.sha256(json.dumps(ours, sort_keys=True).encode()).hexdigest()


def check_call(study: Path, data: Path, out: Path) -> tuple[str, StudyPlan]:
    """The study file and what it asks for, where all of a run's places are as they should be.

    Raises `UsageError` for a missing study file or extract and for an OUT that is not ours to
    write to, `StudyError` for a study file that does not conform.
    """
    text = files.read_text(study)
    plan = read_plan(text)
    files.check_folder(data)
    folders.check_apart(out, [data])
    folders.check_own(out, "run")
    return text, plan


def open_run(
    study: Path,
    data: Path,
    out: Path,
    command: str,
    jobs: int,
    tables: Path | None = None,
    engine: EngineOptions = EMBEDDED,
) -> Run:
    """Read the study file and hash the extract; take over what an earlier run left in OUT.

    Raises as `check_call` does.
    """
    text, plan = check_call(study, data, out)
    known = files.read_json(out / folders.MANIFEST) or {}
    stamps = files.stamp_files(data)
    return Run(
        study=study,
        data=data,
        out=out,
        command=command,
        jobs=jobs,
        plan=plan,
        study_text=text,
        inputs=dict(_hash_as_stamped(data, tuple(stamps.items()))),
        stamps=stamps,
        code=hash_code(),
        stages=read_stages(known),
        unfinished=read_unfinished(known),
        started_at=tell_now(),
        tables=tables,
        engine=engine,
    )


@functools.lru_cache(maxsize=16)
def _hash_as_stamped(data: Path, _stamps: tuple[object, ...]) -> dict[str, str]:
    """The extract's hashes: runs of a table ask many times for those of a few extracts."""
    return files.hash_files(data, "*")


def reopen_run(out: Path, scratch: Path, jobs: int) -> Run:
    """What an earlier run left in OUT, by its manifest; `scratch` stands for its extract.

    The extract need not be there. Raises `UsageError` for a folder that no run has filled, or that
    another version of the software has.
    """
    known = files.read_json(out / folders.MANIFEST) or {}
    stages = read_stages(known)
    if ESTIMATE not in stages or not {"study_file", "inputs", "run"} <= known.keys():
        raise UsageError(
            f"{out} är inte en mapp från en körning: {folders.MANIFEST} saknas eller är skadad. Kör"
            f" revictimisation run först. / It is no folder of a run: {folders.MANIFEST} is missing"
            " or damaged. Use revictimisation run first."
        )
    text = str(known["study_file"])
    run = Run(
        study=scratch,
        data=scratch,
        out=out,
        command=str(known.get("command", "")),
        jobs=jobs,
        plan=read_plan(text),
        study_text=text,
        inputs=known["inputs"],
        stamps=files.stamp_files(scratch),
        code=hash_code(),
        stages=stages,
        unfinished=read_unfinished(known),
        started_at=str(known.get("started_at", "")),
    )
    if run.identity != known["run"]:
        raise UsageError(
            f"{out} gjordes av en annan version av programmet eller dess bibliotek. Kör"
            " revictimisation run igen. / It was made by another version of the software or its"
            " libraries: use revictimisation run again."
        )
    return run
