"""A study at the bench: its tables and numbers as data frames, changed and asked anew in memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from revictimisation.analyses.analysis import Analysis, Found
from revictimisation.analyses.by_measure import BEYOND_HORIZON
from revictimisation.analyses.registry import ANALYSES, CONTROLS
from revictimisation.analyses.running import run_analyses
from revictimisation.analyses.sensitivity.negative_controls import judge_control, withhold_biased
from revictimisation.analyses.target_trials import OTHER_LAW, choose_weights, judge_study_trial
from revictimisation.analyses.trial_inputs import build_trial, eligible_ids, list_modifiers
from revictimisation.api.columns import Columns, whole_days
from revictimisation.api.keys import plan_of
from revictimisation.api.target_trial import WEIGHTS, Estimator, Rules, TargetTrial
from revictimisation.cohort.kept_tables import describe_tables, read_tables
from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.core import files
from revictimisation.core.arrays import Whole
from revictimisation.core.engine import connect
from revictimisation.core.results import KEYS, NOT_ESTIMABLE, mark_not_estimable
from revictimisation.core.text import find_nearest, name_nearest
from revictimisation.core.workers import Workers
from revictimisation.dictionary import Dictionary, load_dictionary
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.target_trial.judged_trial import FEWEST_REPLICATES
from revictimisation.estimators.target_trial.trial_data import N_CAUSES
from revictimisation.extract.validation import LoadedExtract, load_extract
from revictimisation.plan import StudyPlan, read_plan

LINKAGE = "linkage.json"  # what the command `link` leaves beside the tables
FOR_ALL = "grace_days"  # a key of each measure that `with_` sets for all of them


def open_study(
    study: str | os.PathLike[str],
    data: str | os.PathLike[str],
    tables: str | os.PathLike[str] = "",
) -> Study:
    """Open a study: a study file, and the folder of an extract. Nothing is read but the study file.

    Both are looked for from here upwards, so that a notebook runs from the project's root and from
    its own folder. `tables`: where the command `run-many` keeps this study's tables, which are then
    not made anew.

    Raises:
        UsageError: no such file or folder. StudyError: the study file does not conform, all faults.
    """
    plan, folder = read_plan(files.read_text(files.find_given(study))), files.find_given(data)
    files.check_folder(folder)
    return Study(plan, folder, Path(tables) if tables else None)


@dataclass(frozen=True, eq=False)
class Study:
    """A study of an extract; each table is made when it is first asked for, and kept.

    All are exact, and many have a row per person: they stay in the secure room. What may leave it
    the command `estimate` makes (`OUT/release`). A frame is a copy, to be changed at will.

    Attributes:
        plan: what the study file says. data: the folder of the extract. tables: that of its tables,
            where they are made already.
    """

    plan: StudyPlan
    data: Path
    tables: Path | None = None

    def with_(self, **changes: Any) -> Study:
        """The same extract under a changed study; this one stays as it is, no file is written.

        Args:
            changes: keys of the study file (docs/study_file.md) by name. A mapping changes the keys
                it names and leaves the others: `gates={"exposed_victims": 30}`, `measures=
                {"safety_talk": {"grace_days": 7}}`; a list in place of a mapping keeps those named:
                `measures=["safety_talk"]`. `grace_days` is set for all measures.

        Warns:
            UserWarning: measures are left out; what is left is then not adjusted for them.

        Raises:
            ValueError: an unknown key or a value that it does not take, all faults at once.
        """
        keys = self.plan.model_dump()
        known = (*keys, FOR_ALL)
        strange = [name for name in changes if name not in known]
        if FOR_ALL in (find_nearest(name, known) for name in strange):
            raise ValueError("\n".join(
                f"{name}: okänd nyckel / unknown key{name_nearest(name, known)}" for name in strange
            ))  # fmt: skip
        grace = changes.pop(FOR_ALL, None)
        keys = _merge(keys, changes)
        if grace is not None:
            keys["measures"] = {
                name: {**one, FOR_ALL: grace} for name, one in keys["measures"].items()
            }
        plan = plan_of(keys)
        has_same = describe_tables(plan) == describe_tables(self.plan)
        changed = Study(plan, self.data, self.tables if has_same else None)
        if has_same and "_prepared" in self.__dict__:
            data, attrition = self._prepared
            changed.__dict__["_prepared"] = replace(data, plan=plan), attrition
        lost = [name for name in self.plan.measures if name not in changed.plan.measures]
        if lost:
            warnings.warn(
                f"no longer adjusted for: {', '.join(lost)}. One measure's trial with the others"
                " adjusted for is study.target_trial(measure).",
                stacklevel=2,
            )
        return changed

    @property
    def cohort(self) -> pd.DataFrame:
        """A row per entry (index report): entry_id, cluster_id (the victim), stop_day, cause."""
        return _copy(self.study_data.entries)

    @property
    def covariates(self) -> pd.DataFrame:
        """A row per entry: entry_id and what is known of it on day 0."""
        return _copy(self.study_data.covariates)

    @property
    def episodes(self) -> pd.DataFrame:
        """A row per episode (start_day, stop_day] of an entry in which no measure changes.

        entry_id, is_event (a new report on stop_day), a column of 0 and 1 for each measure. They go
        past the first new report, to the end of follow-up.
        """
        return _copy(self.study_data.episodes)

    @property
    def first_episodes(self) -> pd.DataFrame:
        """The episodes up to the first new report, or to the end of follow-up without one."""
        return _copy(self.study_data.first_episodes.reset_index(drop=True))

    @property
    def starts(self) -> pd.DataFrame:
        """A row per entry and measure that it had: first_start_day, is_running_before."""
        return _copy(self.study_data.starts)

    @property
    def spells(self) -> pd.DataFrame:
        """A row per spell of a measure: entry_id, measure, start_day, stop_day; not clipped.

        In force on days (start_day, stop_day]; spells of one measure may overlap.
        """
        return _copy(self.study_data.spells)

    @property
    def renewals(self) -> pd.DataFrame:
        """A row per entry and risk assessment after the one of `covariates`: day, risk_level."""
        return _copy(self.study_data.renewals)

    @property
    def attrition(self) -> pd.DataFrame:
        """A row per step and reason: who and how many are left, and how many fell away."""
        return self._prepared[1].copy()

    @property
    def estimates(self) -> pd.DataFrame:
        """Every number that the study asks for, a row each, as the command `estimate` does."""
        return self._found.estimates.copy()

    @property
    def diagnostics(self) -> pd.DataFrame:
        """What stands behind the numbers: checks, their limits and whether they hold."""
        return self._found.diagnostics.copy()

    def estimate(self, *names: str, **keys: Any) -> pd.DataFrame:
        """The numbers of some analyses alone, such as `target_trials`, `hazard_ratios`.

        With those that they rest on: what they need first, and where the negative controls may hold
        them back these too. So a number has the status that it has in `estimates`. `keys` are
        columns of it (`measure`, `estimand`, `time_days` ...) and the one value that is wanted.

        Raises:
            ValueError: no such analysis, column or value; the known ones are told.
        """
        analyses = _choose(names)
        unknown = [key for key in keys if key not in KEYS]
        if unknown:
            raise ValueError(f"no key {unknown[0]!r} of estimates: {', '.join(KEYS)}")
        found = self._run(analyses).estimates
        for key, value in keys.items():
            known = found[key].dropna().unique().tolist()
            if value not in known:
                raise ValueError(f"{key} is never {value!r} here, but: {known}")
            found = found[found[key] == value]
        return found.reset_index(drop=True)

    def target_trial(
        self,
        measure: str,
        estimator: Estimator = WEIGHTS,
        *,
        follow_up: pd.DataFrame | None = None,
        cap_quantile: float | None = None,
    ) -> TargetTrial:
        """A measure's target trial as the study has it, fitted: its balance, weights and numbers.

        Grace time, covariates, other measures in force, law of starts, bootstrap, gates and
        negative controls are the study's, so a number has the status and the reason that it has in
        `estimates` (analysis `main`; with `cap_quantile` that of `weights_truncated`). Rows of
        `weights` go by entry_id, those of `influence` by the victim's number among all of the
        extract, the same in each study of it. Who had the measure before day 0 is left out.

        Args:
            follow_up: another outcome in place of the study's: a row per entry of `cohort`, its
                entry_id, stop_day and cause (as `TargetTrial.fit` takes them). cap_quantile: as of
                `TargetTrial`.

        Raises:
            ValueError: no such measure; a follow-up that lacks a column or is not of these entries.
            NotEstimableError: nobody started it, or everybody; g-formula and doubly robust under
                another law of starts than the natural one (`other_grace_law`).
        """
        plan, data = self.plan, self.study_data
        _keep("measures", plan.measures, [measure])
        is_own, law = estimator == WEIGHTS, plan.weights.grace_law
        if not is_own and law != "natural_law":
            raise NotEstimableError(OTHER_LAW)
        n_replicates = plan.bootstrap.replicates
        has_bootstrap = is_own and cap_quantile is None and n_replicates >= FEWEST_REPLICATES
        model = TargetTrial(
            grace_days=plan.measures[measure].grace_days,
            estimator=estimator,
            grace_law=law,
            n_bootstrap=n_replicates if has_bootstrap else 0,
            seed=plan.bootstrap.seed,
            cap_quantile=cap_quantile,
            gates=plan.gates,
            small_sample=plan.inference.small_sample,
        )
        stop_day, cause = _read_follow_up(data.entries if follow_up is None else follow_up, data)
        trial = build_trial(data, measure, stop_day, cause)
        index = pd.Index(eligible_ids(data, measure), name="entry_id")
        victims = data.entries.set_index("entry_id")["victim"].loc[index]
        return model.take(
            trial,
            index,
            pd.Index(victims, name="victim"),
            list_modifiers(trial, plan),
            self._make_rules(measure, estimator),
        )

    def compare(
        self, other: Study, estimator: Estimator = WEIGHTS, *, days: int | Sequence[int] = ()
    ) -> pd.DataFrame:
        """What changes from this study to another of its extract, by measure.

        A row per measure of both, day (the report days of both, or `days`) and number: measure,
        then the columns of `TargetTrial.compare`. Where one has no answer `status` and `reason` say
        so.

        Raises:
            ValueError: another extract; no day that both report.
        """
        if other.data.resolve() != self.data.resolve():
            raise ValueError(f"studies of two extracts: {self.data} and {other.data}")
        asked = days or [day for day in self.plan.days_within_horizon
                         if day in other.plan.days_within_horizon]  # fmt: skip
        if not asked:
            raise ValueError("no day that both report: name some by days=")
        parts = []
        for measure in (name for name in self.plan.measures if name in other.plan.measures):
            try:
                here, there = (one.target_trial(measure, estimator) for one in (self, other))
                parts.append(here.compare(there, asked))
            except NotEstimableError as fault:
                told = {"status": NOT_ESTIMABLE, "reason": str(fault)}
                parts.append(pd.DataFrame({"time_days": whole_days(asked, 1), **told}))
            parts[-1].insert(0, "measure", measure)
        return pd.concat(parts, ignore_index=True)

    def _make_rules(self, measure: str, estimator: str) -> Rules:
        """How the study holds back the numbers of a measure's trial."""
        data, horizon = self.study_data, self.plan.horizon_days
        if measure not in self._controls:
            self._controls[measure] = judge_control(data, measure).diagnostics
        checks = self._controls[measure]

        def hold(rows: pd.DataFrame) -> pd.DataFrame:
            named = rows.assign(measure=measure, estimator=estimator, analysis="main")
            held = withhold_biased(named, checks)[rows.columns]
            beyond = held["time_days"] > horizon
            return mark_not_estimable(held, beyond, BEYOND_HORIZON) if beyond.any() else held

        return Rules(
            tuple(self.plan.days_within_horizon),
            lambda fitted: choose_weights(fitted, data.plan),
            lambda main, days, correcting: judge_study_trial(
                data, main, days, measure, correcting=correcting
            ),
            hold,
            checks,
        )

    @cached_property
    def _controls(self) -> dict[str, pd.DataFrame]:
        """The checks of the measures' negative controls, as they are asked for."""
        return {}

    @cached_property
    def _found(self) -> Found:
        return self._run(ANALYSES)

    def _run(self, analyses: Sequence[Analysis]) -> Found:
        with Workers(_cores()) as workers:
            return run_analyses(self.study_data, share=workers.map, analyses=analyses)

    @property
    def study_data(self) -> StudyData:
        """The study's data in one object, as the analyses are given it."""
        return self._prepared[0]

    def read_tables(self, *names: str) -> list[pd.DataFrame]:
        """Tables of the extract (`persons`, `reports` ...) as the study reads and cleans them.

        A row as in the extract (data_dictionary/tables); a table that is not there has none.

        Raises:
            ValueError: no such table. DataError: the extract does not conform.
        """
        extract, _ = self._load()
        _keep("tables", extract.tables, names)
        tables = [extract.tables[name].order_by("row_number") for name in names]
        found = [table.to_pandas().drop(columns="row_number") for table in tables]
        extract.con.disconnect()
        return found

    def restricted(self, out: str | os.PathLike[str]) -> Path:
        """The folder for what is made at the bench, `OUT/restricted/bench`; made if it is missing.

        It holds exact numbers, and rows of people: nothing of it leaves the secure room.
        """
        return files.make_folder(files.find_upwards(out) / "restricted" / "bench")

    def _load(self) -> tuple[LoadedExtract, Dictionary]:
        dictionary = load_dictionary()
        con = connect(threads=_cores())
        extract = load_extract(con, self.data, dictionary, self.plan)
        extract.raise_for_errors()
        return extract, dictionary

    @cached_property
    def _prepared(self) -> tuple[StudyData, pd.DataFrame]:
        if self.tables is not None:
            kept = read_tables(self.tables, self.plan, files.hash_files(self.data, "*"))
            return kept.data, kept.attrition
        extract, dictionary = self._load()
        linked = files.read_json(self.data / LINKAGE)
        data, attrition = prepare(
            extract.tables, extract.absent, dictionary, self.plan, linked=linked,
            cleaned=extract.cleaned,
        )  # fmt: skip
        extract.con.disconnect()
        if data.entries.empty:
            raise NotEstimableError(
                "nobody enters the study: no report of the extract meets its conditions (accrual,"
                " eligibility, data_end_on)"
            )
        return data, attrition

    def __repr__(self) -> str:
        return f"<Study {self.plan.name}: {self.data}, {len(self.plan.measures)} measures>"


def _copy(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of the caller's own, with whole numbers of one type: any two join on their keys."""
    return frame.astype(dict.fromkeys(frame.select_dtypes("int32").columns, "int64"))


def _merge(keys: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Keys with changes laid over them, mappings into mappings; lists as tuples."""
    merged = dict(keys)
    for name, value in changes.items():
        old = keys.get(name)
        if isinstance(value, Mapping):
            merged[name] = _merge(old if isinstance(old, dict) else {}, value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            merged[name] = _keep(name, old, value) if isinstance(old, dict) else tuple(value)
        else:
            merged[name] = value
    return merged


def _keep(key: str, known: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Those of a mapping that are named, in this order."""
    for name in names:
        if name not in known:
            near = find_nearest(str(name), tuple(known))
            told = f"; did you mean {near!r}?" if near else f": {', '.join(known)}"
            raise ValueError(f"{key}: none of the study's is named {name!r}{told}")
    return {name: known[name] for name in names}


def _read_follow_up(frame: pd.DataFrame, data: StudyData) -> tuple[Whole, Whole]:
    """stop_day and cause of each entry, in the study's order."""
    columns = Columns(frame)
    columns.labels("entry_id")
    stop, cause = columns.days("stop_day", least=1), columns.causes("cause", N_CAUSES)
    columns.check()
    place = pd.Index(frame["entry_id"])
    known = data.entries["entry_id"]
    if place.has_duplicates or len(place) != len(known) or not known.isin(place).all():
        raise ValueError("follow_up: a row for each entry_id of the cohort, and no other")
    at = place.get_indexer(known)
    return stop[at], cause[at]


def _choose(names: Sequence[str]) -> list[Analysis]:
    """Entries of the registry by name, with those that they rest on, in its order."""
    known = {analysis.name: analysis for analysis in ANALYSES}
    chosen: set[str] = set()
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name not in known:
            raise ValueError(f"no analysis {name!r}: {', '.join(known)}")
        if name in chosen:
            continue
        chosen.add(name)
        one = known[name]
        wanted += [*one.needs, *filter(None, [one.follows]), *([CONTROLS] * one.is_controlled)]
    return [analysis for analysis in ANALYSES if analysis.name in chosen]


def _cores() -> int:
    return os.cpu_count() or 1


__all__ = ["Study", "open_study"]
