"""What a county may give others: few tables, made of released numbers alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from revictimisation.core.results import OK, choose
from revictimisation.disclosure import PLACES
from revictimisation.disclosure.hazard_ratios import disclose_hazard_ratios, list_told
from revictimisation.estimators.cox_moments import Moments
from revictimisation.plan import Disclosure, StudyPlan

TABLES = ("effects", "curves", "case_mix", "hazard_ratios", "hazard_correlations")
# Of the main analysis, whole population: which estimands of which estimator are pooled.
POOLED = {
    "cox_time_varying": ("log_hazard_ratio",),
    "andersen_gill": ("log_hazard_ratio",),
    "clone_censor_weight": ("risk_difference", "risk_start", "risk_no_start"),
    "aalen_johansen": ("cumulative_incidence",),
}
EFFECTS = (
    "measure", "outcome", "estimator", "estimand", "time_days", "estimate", "ci_low", "ci_high",
    "se", "n_people", "n_events", "status", "reason",
)  # fmt: skip
CURVES = ("outcome", "from_day", "to_day", "n_people", "n_events", "risk", "se")
CASE_MIX = ("group", "level", "n_people", "share")
SHARE_DECIMALS = 2
# What two files must ask alike to be pooled; of measures each by itself.
QUESTION = ("outcome", "horizon_days", "report_at_days", "strata", "adjust_for", "splines")


def make_shared(
    released: pd.DataFrame,
    moments: pd.DataFrame,
    plan: StudyPlan,
    asked: Collection[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of a shared file, from released `estimates` and the exact `hazard_moments`.

    `asked`: the measures that were held at a point that was asked for; None: at the estimate.
    """
    told = [name for name in list_told(released) if asked is None or name in asked]
    exact = Moments.from_frame(moments)
    ratios, correlations = disclose_hazard_ratios(exact, told, is_asked=asked is not None)
    return {
        "effects": list_effects(released, plan),
        "curves": list_curves(released, plan.disclosure),
        "case_mix": list_case_mix(released, plan),
        "hazard_ratios": ratios,
        "hazard_correlations": correlations,
    }


def list_effects(released: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """Main answers for the whole population, as released; a row per number, hidden ones too."""
    main = choose(
        released, question="q2", analysis="main", subgroup="", level="", outcome=plan.outcome.who
    )
    parts = [choose(main, estimator=estimator, estimand=estimands)
             for estimator, estimands in POOLED.items()]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[list(EFFECTS)]


def list_curves(released: pd.DataFrame, rules: Disclosure) -> pd.DataFrame:
    """How many had an event, by bands of days: a row per outcome and band (from_day, to_day].

    Bands are the released days of the curve, joined until the rounded count of each is the
    threshold or more. `risk` is that at the band's end.
    """
    curve = choose(
        released, question="q2", analysis="curve", estimator="aalen_johansen",
        estimand="cumulative_incidence", subgroup="", status=OK,
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for outcome, part in curve.sort_values("time_days").groupby("outcome", sort=False):
        days, events = (part[name].to_numpy(int) for name in ("time_days", "n_events"))
        from_day, before = 0, 0
        for k, told in enumerate(part[["n_people", "estimate", "se"]].to_numpy(object)):
            n_events = int(events[k]) - before
            if n_events >= rules.threshold:
                band = (outcome, from_day, int(days[k]), told[0], n_events, told[1], told[2])
                rows.append(dict(zip(CURVES, band, strict=True)))
                from_day, before = int(days[k]), int(events[k])
    return pd.DataFrame(rows, columns=list(CURVES))


def list_case_mix(released: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """Who the people are: released numbers of people by level of the study's groups, no places.

    Where the number of all is not shown, no share is.
    """
    whole = choose(
        released, question="q2", analysis="main", estimator="aalen_johansen",
        estimand="cumulative_incidence", outcome=plan.outcome.who, status=OK,
    )  # fmt: skip
    total = whole.loc[whole["subgroup"].eq(""), "n_people"].astype(float).max()
    groups = [name for name in plan.subgroups if name not in PLACES and not name.startswith("x_")]
    chosen = whole[whole["subgroup"].isin(groups)]
    table = chosen.groupby(["subgroup", "level"], sort=False)[["n_people"]].max().reset_index()
    share = (table["n_people"].astype(float) / total).round(SHARE_DECIMALS)
    return table.rename(columns={"subgroup": "group"}).assign(share=share)[list(CASE_MIX)]


def describe_question(plan: StudyPlan) -> dict[str, Any]:
    """What the study asks, for files to be compared by: of `QUESTION`, and of each measure."""
    asked: Mapping[str, Any] = plan.model_dump(mode="json")
    measures = {name: asked["measures"][name] for name in plan.measure_names}
    return {**{name: asked[name] for name in QUESTION}, "measures": measures}
