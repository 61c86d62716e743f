"""The page that says what is built into the synthetic county, made from the numbers themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from revictimisation.core import files
from revictimisation.simulate.calibrated import find_court
from revictimisation.simulate.faults import DIRTY_RATES, MEANINGS, FaultRates
from revictimisation.simulate.justice_tables import CONVICTED_SHARE
from revictimisation.simulate.population import RISK_LEVELS
from revictimisation.simulate.process import tabulate_start
from revictimisation.simulate.scenarios import Linear, Scenario, StudyMeasure

TRUTH_COLUMNS = (
    "log_hazard_ratio", "log_hazard_ratio_limit", "risk_start", "risk_no_start", "risk_difference",
)  # fmt: skip
LEVELS = (*RISK_LEVELS, "missing")
SHOWN: Mapping[str, Sequence[str]] = {  # scenario: the estimands of its table
    "calibrated": TRUTH_COLUMNS,
    "unmeasured": ("log_hazard_ratio", "log_hazard_ratio_untold", *TRUTH_COLUMNS[2:]),
    "reporting": (
        "risk_start", "risk_no_start", "risk_difference", "crime_risk_difference",
        "other_suspect_risk_difference",
    ),
    "positivity": TRUTH_COLUMNS,
}  # fmt: skip


def _make_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def _describe_effect(measure: StudyMeasure) -> str:
    effect = measure.effect
    if effect.by:
        levels = ", ".join(f"{level} {value:+.2f}" for level, value in effect.per_level.items())
        return f"by {effect.by}: {levels}"
    carry = f"; {effect.carry_share:.0%} of it for {effect.carry_days} days after the end"
    return f"{effect.log_hazard_ratio:+.2f}" + (carry if effect.carry_share else "")


def _describe_levels(linear: Linear, covariate: str) -> str:
    levels = linear.terms.get(covariate, {})
    return ", ".join(f"{level} {value:+.2f}" for level, value in levels.items()) or "—"


def tabulate_measures(scenario: Scenario) -> str:
    """Tabulate the study measures: effect, grace, length, what makes them start."""
    rows = [
        (
            measure.name, _describe_effect(measure), str(measure.grace_days),
            f"{measure.length.mean_days:.0f}", _describe_levels(measure.start, "risk_level"),
            ", ".join(f"{k} {v:+.2f}" for k, v in measure.log_start_when_in_force.items()) or "—",
        )
        for measure in scenario.measures
    ]  # fmt: skip
    header = ("measure", "log hazard ratio while in force", "grace, days", "mean length, days",
              "log start rate by risk level", "log start rate while in force")  # fmt: skip
    return _make_table(header, rows)


def tabulate_covariates(scenario: Scenario) -> str:
    """Tabulate the log hazard ratios of the baseline covariates."""
    rows = [(name, _describe_levels(scenario.event, name)) for name in scenario.event.terms]
    rows.append(("n_earlier_reports", f"{scenario.event.per_earlier_report:+.2f} a report day"))
    return _make_table(("covariate", "log hazard ratio (levels not named: 0)"), rows)


def tabulate_figures(figures: pd.DataFrame) -> str:
    """Tabulate the published figures beside the achieved ones."""
    columns = figures[["figure_en", "source", "published", "achieved"]].itertuples(index=False)
    rows = [(name, source, f"{one:.3g}", f"{own:.3g}") for name, source, one, own in columns]
    return _make_table(("figure", "source", "published", "achieved"), rows)


def tabulate_truth(
    truth: pd.DataFrame, naive: pd.DataFrame, day: int, columns: Sequence[str] = TRUTH_COLUMNS
) -> str:
    """Tabulate the whole-population truth beside what *ever against never* shows."""
    whole = truth[(truth["subgroup"] == "") & (truth["measure"] != "")]
    at_day = whole[whole["time_days"].isna() | (whole["time_days"] == day)]
    wide = at_day.pivot_table(index="measure", columns="estimand", values="value", sort=False)
    shown = naive.set_index("measure")["naive_difference"]
    wide = wide.reindex(columns=list(columns)).join(shown)
    rows = [
        (str(name), *("—" if pd.isna(value) else f"{value:.3f}" for value in row))
        for name, row in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return _make_table(("measure", *columns, "ever against never"), rows)


def tabulate_start_shares(scenario: Scenario) -> str:
    """Tabulate who would start within the grace time by risk level, were nothing else to come."""
    rows = []
    for measure in scenario.measures:
        clock, terms = (
            tabulate_start(measure)[measure.grace_days + 1],
            measure.start.terms["risk_level"],
        )
        logs = [measure.start.intercept + terms.get(level, 0.0) for level in LEVELS]
        shares = [-math.expm1(-math.exp(log) * clock) for log in logs]
        rows.append((measure.name, *(f"{share:.1%}" for share in shares)))
    return _make_table(("measure", *LEVELS), rows)


def _describe_departures(scenarios: Mapping[str, Scenario]) -> dict[str, object]:
    """What the page says of the scenarios in which one thing fails."""
    trait, reporting = scenarios["unmeasured"].hidden, scenarios["reporting"].measures
    ratios = [one for one in reporting if one.log_reporting_ratio]
    return {
        "trait_share": trait.share, "trait_event": math.exp(trait.log_event),
        "trait_start": math.exp(trait.log_start),
        "ratios": ", ".join(
            f"{ratio.name} {math.exp(ratio.log_reporting_ratio):.2f}" for ratio in ratios
        ),
        "start_shares": tabulate_start_shares(scenarios["positivity"]),
    }  # fmt: skip


def _describe_faults(rates: FaultRates) -> dict[str, object]:
    """What the page says of ``dirty``."""
    rows = [(name, meaning, f"{rates[name]:.1%}") for name, meaning in MEANINGS.items()]
    return {
        "faults": _make_table(("fault", "what it is", "rate"), rows),
        "misspelt": rates["name_misspelt"], "renamed": rates["name_changed"],
    }  # fmt: skip


def _describe_courts(scenario: Scenario, truth: pd.DataFrame) -> dict[str, object]:
    """What the page says of the courts."""
    court = find_court(scenario)
    names = [measure.name for measure in scenario.measures]
    both = (court.measures_part, court.measures_cleared)
    measures = [(name, *(f"{of.get(name, 0.0):+.2f}" for of in both)) for name in names]
    terms = [(name, f"{value:+.2f}") for name, value in court.weight.items()]
    terms += [(name, _describe_levels(court.strength, name)) for name in court.strength.terms]
    terms.append(("n_earlier_reports", f"{court.strength.per_earlier_report:+.2f} a report day"))
    known = truth[truth["estimand"].str.startswith("conviction_")]
    known = known[known["time_days"] == scenario.horizon_days]
    value = known.set_index(["measure", "level", "estimand"])["value"]
    rows = []
    for name in names:
        ways = [("", "risk_start"), ("", "risk_no_start"), ("", "risk_difference"),
                ("through_participation", "risk_difference")]  # fmt: skip
        found = [value[name, level, f"conviction_{one}"] for level, one in ways]
        rows.append((name, *(f"{one:.3f}" for one in found)))
    tables: dict[str, Sequence[Sequence[str]]] = {
        "court_measures": measures, "court_terms": terms, "court_truth": rows,
    }  # fmt: skip
    lines = {key: "".join(f"| {' | '.join(row)} |\n" for row in table)
             for key, table in tables.items()}  # fmt: skip
    return {**lines, "convicted": CONVICTED_SHARE}


def make_page(
    scenarios: Mapping[str, Scenario], truths: Mapping[str, pd.DataFrame], figures: pd.DataFrame,
    naive: pd.DataFrame, facts: Mapping[str, object],
) -> str:  # fmt: skip
    """Make docs/simulator.md from the scenarios, their kept truth and what a county achieves.

    ``naive`` holds the rows of ``naive_table`` for each scenario, named in column scenario;
    ``facts`` where the truth of ``calibrated`` came from.
    """
    template = files.read_text(Path(__file__).with_suffix(".md"))
    scenario = scenarios["calibrated"]
    shown = {
        f"truth_{name}": tabulate_truth(
            truths[name], naive[naive["scenario"] == name], scenario.horizon_days, columns
        )
        for name, columns in SHOWN.items()
    }
    return template.format(
        **facts, **shown, **_describe_departures(scenarios), **_describe_faults(DIRTY_RATES),
        **_describe_courts(scenario, truths["calibrated"]),
        accrual_from_on=scenario.accrual_from_on, accrual_to_on=scenario.accrual_to_on,
        data_end_on=scenario.data_end_on, extra=scenario.extra_victims_share,
        missing_risk=scenario.missing_risk_share, missing_honour=scenario.missing_honour_share,
        new_identity=scenario.new_identity_share, shape=scenario.weibull_shape,
        scale=scenario.weibull_scale_days, shared=scenario.shared_share,
        breach=scenario.breach_share, horizon_days=scenario.horizon_days,
        measures=tabulate_measures(scenario), covariates=tabulate_covariates(scenario),
        figures=tabulate_figures(figures),
    )  # fmt: skip
