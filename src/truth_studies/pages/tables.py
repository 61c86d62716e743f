"""Notebook 7: the full table of the truth study, what its columns mean, and where it comes from."""

from __future__ import annotations

import pandas as pd

from revictimisation.report.described import NOTHING, Cell, Folded, Piece, join
from revictimisation.report.page import DASH, SHARE, Page
from truth_studies.pages.answer import name_intervals, name_row, name_scenario, name_way
from truth_studies.pages.misses import describe_faults
from truth_studies.records.bar import CONTRASTS
from truth_studies.records.truth import BOOTSTRAP, INFLUENCE, MAIN, TruthStudy, Way

DIGITS = {"rmst_difference_days": 1, "log_hazard_ratio": 3}
# column of the table: the column of its Monte Carlo error
COLUMNS = {
    "truth": "truth_error", "bias": "bias_mc", "relative_bias": "", "bias_in_errors": "",
    "empirical_error": "empirical_error_mc", "estimated_error": "", "coverage": "coverage_mc",
    "rejection_rate": "rejection_rate_mc", "rmse": "rmse_mc", "share_released": "",
    "coverage_released": "",
}  # fmt: skip
SHARES = ("relative_bias", "coverage", "rejection_rate", "share_released", "coverage_released")

SHORT_COMMIT = 12


def show_tables(page: Page, study: TruthStudy) -> Piece:
    """The full table of each scenario, folded, after what its columns mean."""
    if study.is_empty:
        return NOTHING
    heads = [page.say("truth_study.column"), page.say("truth_study.meaning")]
    names = ("bar", "n_counties", *COLUMNS)
    explained = [
        [page.say(f"truth_study.head_{one}"), page.say(f"truth_study.means_{one}")]
        for one in names
    ]  # fmt: skip
    caption = page.say("truth_study.columns_caption")
    parts = [page.heading("truth_study.tables"), page.text("truth_study.tables_text"),
             page.table(caption, heads, explained, kind="words")]  # fmt: skip
    for scenario in study.scenarios:
        mine = list_rows(study, scenario)
        name = name_scenario(page, scenario)
        title = page.say("truth_study.fold", scenario=name, n=page.formats.count(len(mine)))
        parts.append(Folded(title, _full_table(page, name, mine)))
    return join(parts)


def list_rows(study: TruthStudy, scenario: str) -> pd.DataFrame:
    """A scenario's rows; a bootstrap's only of the estimator whose intervals it makes."""
    mine = study.table[study.table["scenario"].eq(scenario)]
    if INFLUENCE not in set(mine["intervals"]):
        return mine
    is_drawn = mine["intervals"].str.startswith(BOOTSTRAP)
    return mine[~is_drawn | mine["estimator"].eq(MAIN.estimator)]


def _full_table(page: Page, scenario: str, rows: pd.DataFrame) -> Piece:
    names = ("way", "estimand", "bar", "n_counties", *COLUMNS)
    heads = [page.say("common.measure"), *(page.say(f"truth_study.head_{name}") for name in names)]
    has_kinds = rows["intervals"].nunique() > 1
    cells = [_full_row(page, row, has_kinds) for _, row in rows.iterrows()]
    return page.table(page.say("truth_study.full_caption", scenario=scenario), heads, cells)


def _full_row(page: Page, row: pd.Series, has_kinds: bool) -> list[Cell | str]:
    way = name_way(page, Way(row["estimator"], row["analysis"]))
    kind = f" ({name_intervals(page, row['intervals'])})" if has_kinds else ""
    digits = DIGITS.get(row["estimand"], 4)
    numbers = [_cell(page, row, one, error, digits) for one, error in COLUMNS.items()]
    return [
        name_row(page, row), way + kind, page.labels.code("estimand", row["estimand"]),
        describe_faults(page, row), page.formats.count(row["n_counties"]), *numbers,
    ]  # fmt: skip


def _cell(page: Page, row: pd.Series, name: str, error: str, digits: int) -> Cell | str:
    """A number with its Monte Carlo error in small print."""
    value = row.get(name)
    is_no_call = name == "rejection_rate" and row["estimand"] not in CONTRASTS
    if value is None or pd.isna(value) or is_no_call:
        return DASH
    is_share = name in SHARES
    write = page.formats.percent if is_share else page.formats.decimal
    n_digits = 1 if is_share else 2 if name == "bias_in_errors" else digits
    told = Cell(write(float(value), n_digits), float(value), unit=SHARE if is_share else "")
    if not error or pd.isna(row.get(error, float("nan"))):
        return told
    return told.above(f"± {write(float(row[error]), n_digits)}")


def show_provenance(page: Page, study: TruthStudy) -> Piece:
    """What made the table: command, seed, versions, day, counties."""
    facts = study.provenance
    if study.is_empty or not facts:
        return NOTHING
    versions = {"Python": facts.get("python", DASH), **facts.get("versions", {})}
    rows: list[list[str]] = [
        [page.say("truth_study.from_command"), f"`{facts.get('command', DASH)}`"],
        [page.say("truth_study.from_seed"), str(facts.get("seed", DASH))],
        [page.say("truth_study.from_date"), str(facts.get("made_on", DASH))],
        [page.say("truth_study.from_versions"), ", ".join(f"{k} {v}" for k, v in versions.items())],
    ]
    if facts.get("commit"):
        rows.append([page.say("truth_study.from_commit"), _describe_commit(page, facts["commit"])])
    for run in facts.get("runs", []):
        name = f"{name_scenario(page, run['scenario'])} ({run['scenario']})"
        told = page.say("truth_study.from_run", n=page.formats.count(run["n_counties"]),
                        people=page.formats.count(run["people_per_county"]),
                        intervals=name_intervals(page, run["intervals"]))  # fmt: skip
        rows.append([name, told])
    heads = [page.say("truth_study.from_what"), page.say("truth_study.from_value")]
    table = page.table(page.say("truth_study.from_caption"), heads, rows, kind="words")
    return join([page.heading("truth_study.origin"), table])


def _describe_commit(page: Page, commit: str) -> str:
    """The version's commit, short; after it if the tree had changes that were not in it."""
    name, _, more = commit.partition(" ")
    told = name[:SHORT_COMMIT]
    return page.say("truth_study.commit_changed", commit=told) if more else told
