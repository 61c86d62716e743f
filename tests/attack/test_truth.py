"""No recovery is a guess: against the exact tables of studies that are kept, none is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.core.results import KEYS
from revictimisation.disclosure.attack import open_release
from revictimisation.disclosure.attack.algebra import FOLLOWS, solve_families
from revictimisation.disclosure.attack.cells import count_exactly, list_cells
from revictimisation.disclosure.attack.diagnostics import find_denominator, read_diagnostics
from revictimisation.disclosure.attack.findings import name_rows
from revictimisation.disclosure.attack.margins import bound_cells

# What is hidden at once: nothing that another of the same turn follows from.
TURNS = (
    ("risk_start", "rmst_start_days", "mean_count_start", "log_hazard_ratio"),
    ("risk_no_start", "rmst_no_start_days", "mean_count_no_start", "hazard_ratio"),
    ("risk_difference", "rmst_difference_days", "mean_count_difference", "e_value"),
    ("risk_ratio",),
)
STUDIES = ("county_600", "county_3000", "linked", "mdve", "rossi")


def read_kept(repo_root: Path, name: str, tmp_path: Path):
    """A kept study's release as an OUT, and its exact estimates."""
    kept = repo_root / "tests" / "yardstick" / name
    folder = tmp_path / "release"
    folder.mkdir()
    for table in ("estimates", "attrition", "diagnostics"):
        (folder / f"{table}.parquet").write_bytes((kept / f"release_{table}.parquet").read_bytes())
    exact = pd.read_parquet(kept / "restricted_estimates.parquet")
    texts = [name for name in exact if exact[name].dtype == object]
    return open_release(folder, 5, 5), exact.assign(**exact[texts].fillna(""))


@pytest.mark.parametrize("name", STUDIES)
def test_no_range_of_a_count_leaves_the_truth_out(name, repo_root, tmp_path):
    release, exact = read_kept(repo_root, name, tmp_path)
    cells = list_cells(release.estimates, release.rules, None)
    table = bound_cells(cells, 5)
    assert not table["is_false"].any()
    truth = count_exactly(exact).reindex(pd.MultiIndex.from_frame(table[["kind", "key"]]))
    value = truth.to_numpy()
    known = ~np.isnan(value)
    # rows of the extract by quarter, and what would change an answer, are of no number of people
    assert known[~table["key"].str.contains(r"\|volumes\||\|tipping_point\|")].mean() > 0.9
    for low, high in (("low", "high"), ("told_low", "told_high")):
        assert (table[low].to_numpy()[known] <= value[known]).all()
        assert (value[known] <= table[high].to_numpy()[known]).all()
    # sums that are taken for granted hold in the exact tables
    relations = cells.relations
    total = np.bincount(relations.relation, value[relations.count] * relations.sign)
    whole = ~np.isnan(total)
    assert (total[whole & relations.is_equal] == 0).all()
    assert (total[whole] <= 0).all()
    assert whole.sum() > 100


@pytest.mark.parametrize("estimands", TURNS)
def test_a_number_that_is_solved_is_the_one_that_was_hidden(estimands, repo_root, tmp_path):
    """Each kind of number is hidden in turn where it was shown, and solved from the others."""
    release, _ = read_kept(repo_root, "county_3000", tmp_path)
    rows = release.estimates
    gone = rows["estimand"].isin(estimands) & rows["status"].eq("ok")
    names, kinds = name_rows(rows, KEYS), rows["estimand"].to_numpy()
    shown = pd.DataFrame({"estimand": kinds, "true": rows["estimate"].to_numpy(float, copy=True)},
                         index=names)  # fmt: skip
    rows.loc[gone, ["status", "estimate"]] = ["suppressed", np.nan]
    found = solve_families(release)
    found = found[found["what"].eq("algebra")].join(shown, on="row")
    for estimand in estimands:
        mine = found[found["estimand"].eq(estimand)]
        assert len(mine) > 5
        close = 1.5 if estimand.endswith("days") else 0.02
        assert np.isclose(mine["low"], mine["true"], rtol=0.01, atol=close).all()


def test_every_kind_of_number_that_follows_has_its_turn():
    assert sorted(name for turn in TURNS for name in turn) == sorted(FOLLOWS)


@pytest.mark.parametrize("name", ["county_600", "county_3000"])
def test_a_share_that_is_too_fine_is_so(name, repo_root, tmp_path):
    """The exact share lies within half a step of the one shown, whose steps are that fine."""
    release, _ = read_kept(repo_root, name, tmp_path)
    exact = pd.read_parquet(
        repo_root / "tests" / "yardstick" / name / "restricted_diagnostics.parquet"
    )
    checks = release.tables["diagnostics"]
    row = name_rows(checks, ("analysis", "measure", "check"))
    found = read_diagnostics(release)
    mine = row.isin(found.loc[found["what"].eq("fraction"), "row"]).to_numpy()
    shown = checks.loc[mine, "value"].to_numpy(float)
    half = np.array([0.5 / find_denominator(share, 500_000) for share in shown])
    assert (np.abs(exact.loc[mine, "value"].to_numpy(float) - shown) <= half + 1e-6).all()
