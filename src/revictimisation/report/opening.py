"""The door of every notebook: its parameters checked, its release found and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.report.formats import LOCALES
from revictimisation.report.page import Page
from revictimisation.report.pages import list_pages
from revictimisation.report.release import Release

PARAMETERS = ("study", "out", "language")
TABLES = ("estimates", "attrition", "diagnostics")
PLAIN = (str, int, float, bool, list, tuple, dict, type(None))


def open_report(namespace: Mapping[str, Any], extra: tuple[str, ...] = ()) -> Page:
    """Open the release that a notebook's parameters name; call it first, with `globals()`.

    `study` and `out` are looked for from here upwards, so that a notebook works from the project's
    root and from its own folder; without `study` it is that of the results. `extra` are further
    parameters of this notebook, among them perhaps the `measure` that it is about (without it the
    study's first). Raises `UsageError` for a parameter that is not known (papermill
    itself would only warn), a language other than sv and en, a folder without a release, a
    release of another study, and a measure that it does not have.
    """
    check_parameters(namespace, (*PARAMETERS, *extra))
    study, out = str(namespace["study"]), str(namespace["out"])
    command = f"revictimisation run {study or 'STUDY'} --data DATA --out {out}"
    plan = read_plan(files.read_text(files.find_given(study))) if study else None
    made_in = files.find_given(out)
    manifest, folder = files.read_json(made_in / "manifest.json"), made_in / "release"
    if manifest is None or not all((folder / f"{name}.parquet").is_file() for name in TABLES):
        raise UsageError(f"There are no results in {out}. Make them with: {command}")
    made = read_plan(str(manifest["study_file"]))
    check_study(plan or made, made, out, command)
    tables = {name: files.read_table(folder / f"{name}.parquet") for name in TABLES}
    release = Release(plan=made, is_synthetic=bool(manifest.get("is_synthetic")), **tables)
    site = frozenset(outline.name for outline in list_pages(made, is_joined=False))
    measure = str(namespace.get("measure") or next(iter(made.measure_names), ""))
    check_measure(measure, made)
    return Page(release, load_dictionary(), str(namespace["language"]), measure=measure, site=site)


def check_parameters(namespace: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse values that are no known parameter; a cell run again later is not asked again."""
    if any(isinstance(value, Page) for value in namespace.values()):
        return
    given = {
        name
        for name, value in namespace.items()
        if isinstance(value, PLAIN) and not name.startswith("_") and name not in ("In", "Out")
    }
    unknown, absent = sorted(given - set(known)), sorted(set(known) - given)
    if unknown or absent:
        wrong = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(absent)}"
        raise UsageError(
            f"Parameters of this notebook are {', '.join(known)}; {wrong}. Correct it, restart the"
            " kernel and run the notebook again."
        )
    if namespace["language"] not in LOCALES:
        raise UsageError(f"language must be one of {', '.join(LOCALES)}.")


def check_measure(measure: str, plan: StudyPlan) -> None:
    """Refuse a measure that the study does not have."""
    if measure not in ("", *plan.measure_names):
        raise UsageError(f"measure must be one of {', '.join(plan.measure_names)}.")


def check_study(asked: StudyPlan, made: StudyPlan, out: str, command: str) -> None:
    """Refuse results that were made by another study file, or by this one before it was changed."""
    if asked.name != made.name:
        raise UsageError(
            f"The results in {out} are those of the study {made.name!r}, not of {asked.name!r}."
            f" Name its study file, or make new ones with: {command}"
        )
    if asked != made:
        raise UsageError(
            f"The study file has changed since the results in {out} were made."
            f" Make them anew with: {command}"
        )
