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

MOST_HIDDEN = 40  # of a kind
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
    assert known.mean() > 0.9
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


def test_a_number_that_is_solved_is_the_one_that_was_hidden(repo_root, tmp_path):
    """Each kind of number is hidden where it was shown, and solved from the others.

    Of a comparison one alone: of those whose kind is rarest first.
    """
    release, _ = read_kept(repo_root, "county_3000", tmp_path)
    rows = release.estimates
    shown = pd.Series(rows["estimate"].to_numpy(float, copy=True), index=name_rows(rows, KEYS))
    family = rows.groupby([key for key in KEYS if key != "estimand"], dropna=False).ngroup()
    mine = {name: rows["estimand"].eq(name) & rows["status"].eq("ok") for name in FOLLOWS}
    taken: set[int] = set()
    for estimand in sorted(FOLLOWS, key=lambda name: mine[name].sum()):
        free = [one for one in family[mine[estimand]] if one not in taken][:MOST_HIDDEN]
        taken |= {*free}
        gone = mine[estimand] & family.isin(free)
        rows.loc[gone, ["status", "estimate"]] = ["suppressed", np.nan]
    found = solve_families(release)
    found = found[found["what"].eq("algebra")]
    hidden = pd.Series(rows["estimand"].to_numpy(), index=shown.index).reindex(found["row"])
    for estimand in FOLLOWS:
        solved = found[hidden.eq(estimand).to_numpy()]
        assert len(solved) > 5, estimand
        true = shown.reindex(solved["row"]).to_numpy()
        close = 1.5 if estimand.endswith("days") else 0.02
        is_known = ~np.isnan(true)  # others were hidden before
        assert is_known.sum() > 5, estimand
        assert np.isclose(solved["low"], true, rtol=0.01, atol=close)[is_known].all(), estimand


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
