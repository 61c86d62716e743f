"""No small count follows from what is told beside it: an attacker with all sums finds none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.extract.validation.complements import hide_complements
from revictimisation.extract.validation.plausibility import hide_small
from revictimisation.extract.validation.volumes import hide_volumes
from tests.cases import for_each

KEYS = ["table", "kind", "column", "level"]
THRESHOLD = 5


def hide(rows) -> pd.DataFrame:
    return hide_small(pd.DataFrame(rows, columns=[*KEYS, "n", "total"]), THRESHOLD)


@for_each("seed", range(40))
def test_what_is_hidden_sums_to_none_or_enough_and_is_never_alone(seed):
    """Reckoned anew: sums less what is shown are what an attacker learns."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.choice([1, 4, 20], (rng.integers(2, 9), 2)))
    small = ((counts > 0) & (counts < THRESHOLD)).any(axis=1)
    hidden = hide_complements(counts, small, THRESHOLD)
    assert (hidden >= small).all()
    for column in counts.T:
        learned = column.sum() - column[~hidden].sum()
        is_whole = not column[~hidden].any()  # nothing was left to hide it among
        assert learned == 0 or is_whole or (learned >= THRESHOLD and (column[hidden] > 0).sum() > 1)


def test_no_more_is_hidden_than_needed():
    counts = np.array([[3], [40], [7], [0], [9]])
    assert hide_complements(counts, counts[:, 0] == 3, THRESHOLD).tolist() == [
        True, False, True, False, False,
    ]  # fmt: skip
    assert not hide_complements(counts, np.zeros(5, bool), THRESHOLD).any()


def test_a_code_alone_below_the_threshold_takes_the_next_with_it():
    counts = {"a": 3, "b": 40, "c": 7, "d": 0}
    hidden = hide([("t", "code", "x", code, n, 50) for code, n in counts.items()])
    assert hidden["status"].tolist() == ["suppressed", "ok", "complement", "ok"]
    assert hidden["n"].isna().tolist() == [True, False, True, False]
    assert hidden["total"].notna().all()


def test_empty_cells_of_one_year_take_another_year_with_them():
    years = {"2011": (38, 40), "2012": (30, 40), "2013": (25, 40)}
    rows = [("t", "filled_year", "x", year, *both) for year, both in years.items()]
    shown = hide([("t", "filled", "x", "", 93, 120), *rows])
    assert shown["status"].tolist() == ["ok", "suppressed", "ok", "complement"]
    # Where what all years have in all is hidden as well, no year follows from it.
    rows = [("t", "filled_year", "x", "2011", 38, 40), ("t", "filled_year", "x", "2012", 40, 40)]
    assert hide([("t", "filled", "x", "", 78, 80), *rows])["status"].tolist() == [
        "suppressed", "suppressed", "ok",
    ]  # fmt: skip


def test_a_small_district_takes_another_ones_total_with_it_in_every_column():
    places = {"north": 3, "south": 40, "west": 60}
    rows = [
        ("t", "filled_place", column, place, n * is_filled, n)
        for column, is_filled in (("x", 1), ("y", 0))
        for place, n in places.items()
    ]
    hidden = hide([("t", "filled", "x", "", 103, 103), ("t", "filled", "y", "", 0, 103), *rows])
    totals = hidden[hidden["kind"] == "filled_place"].set_index(["column", "level"])["total"]
    assert totals.isna().groupby("level").all().to_dict() == {
        "north": True, "south": True, "west": False,
    }  # fmt: skip


def test_rows_without_a_date_are_a_fault_and_hide_no_year():
    rows = [("t", "filled_year", "x", year, n, n) for year, n in (("2011", 40), ("missing", 2))]
    hidden = hide([("t", "filled", "x", "", 42, 42), *rows])
    assert hidden["status"].tolist() == ["ok", "ok", "suppressed"]


def test_a_small_month_takes_another_of_its_year_with_it():
    months = [50, 3, 30, 40, 50, 60]
    facts = hide([("t", "month", "", f"2013-{at + 1:02d}", n, 233) for at, n in enumerate(months)])
    assert facts["n"].isna().tolist() == [False, True, True, False, False, False]
    volumes = pd.DataFrame(
        {"table": "t", "period": [f"2013-{at + 1:02d}" for at in range(6)], "n_rows": months,
         "usual": [50, 3, 6.5, 40, 50, 58], "onward": 33.0},
        index=[7] * 6,
    )  # fmt: skip
    hidden = hide_volumes(volumes, THRESHOLD)
    assert hidden["n_rows"].isna().tolist() == facts["n"].isna().tolist()
    # a median of neighbours would tell what one of them counts
    assert hidden["usual"].tolist() == [50, 5, 5, 40, 50, 60]
    assert hidden["onward"].tolist() == [35] * 6
