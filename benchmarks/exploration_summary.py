"""How often an exploration finds differences in effect, and whether it names what is built in."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIGNIFICANCE = 0.05
CONTRAST = "most_helped_less_least_helped"
ENDS = ("most_helped", "least_helped")
# What is built into the calibrated county.
BUILT_IN = {"non_contact_order": "risk_level", "contact_person": "is_honour"}


def summarise_exploration(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per measure, and one (measure empty) of the study as a whole.

    n_counties; n_tested: in how many the measure could be explored; rejection_rate: p below 0.05
    (of the whole: Holm's p of any measure), rejection_rate_holm; mean_spread, mean_gap (of the most
    helped less the least helped), gap_error_ratio (mean standard error over the spread between
    counties), gap_coverage (of intervals, of no difference); named (the covariate that parts the
    most from the least helped most often), share_named_built_in (the covariate by which the effect
    truly differs is the one that parts them most), the same among the called. `_mc`: Monte Carlo
    errors.
    """
    n_counties = int(rows["county"].nunique())
    tests = rows[rows["estimand"].eq("p_value_holm") & rows["status"].ne("not_estimable")]
    least = tests.groupby("county")["estimate"].min().reindex(range(n_counties), fill_value=1.0)
    found = [{"measure": "", "n_counties": n_counties,
              "n_tested": int(tests["county"].nunique()),
              **_share("called_holm", least.lt(SIGNIFICANCE))}]  # fmt: skip
    for measure, mine in rows.groupby("measure", sort=False):
        found.append({"measure": measure, "n_counties": n_counties,
                      **_summarise_measure(str(measure), mine)})  # fmt: skip
    return pd.DataFrame(found)


def _summarise_measure(measure: str, rows: pd.DataFrame) -> dict[str, object]:
    known = rows[rows["status"].ne("not_estimable")]

    def pick(estimand: str) -> pd.DataFrame:
        return known[known["estimand"].eq(estimand)].set_index("county")

    p_value, holm, spread = pick("p_value"), pick("p_value_holm"), pick("effect_spread")
    gap = pick("risk_difference")
    gap = gap[gap["level"].eq(CONTRAST)]
    n = len(p_value)
    if n == 0:
        return {"n_tested": 0}
    is_called = p_value["estimate"].lt(SIGNIFICANCE)
    covers = gap["ci_low"].le(0) & gap["ci_high"].ge(0)
    between = float(gap["estimate"].std(ddof=1)) if n > 1 else np.nan
    out = {
        "n_tested": n, **_share("called", is_called),
        **_share("called_holm", holm["estimate"].lt(SIGNIFICANCE)),
        "mean_spread": spread["estimate"].mean(), "mean_gap": gap["estimate"].mean(),
        "mean_gap_mc": between / np.sqrt(n), "gap_error_ratio": gap["se"].mean() / between,
        **_share("gap_covers_none", covers),
    }  # fmt: skip
    named = name_covariates(known)
    out["named"] = str(named.value_counts().index[0])
    if measure in BUILT_IN:
        is_right = named.eq(BUILT_IN[measure])
        out |= _share("named_built_in", is_right)
        out |= _share("named_built_in_called", is_right[is_called.reindex(named.index)])
    return out


def name_covariates(rows: pd.DataFrame) -> pd.Series:
    """By county the covariate whose levels part the most from the least helped most.

    Half the sum over levels of how far the two shares are apart (total variation).
    """
    shares = rows[rows["estimand"].eq("share")]
    wide = shares.pivot_table(
        index=["county", "subgroup", "level"], columns="outcome", values="estimate"
    ).fillna(0.0)
    apart = (wide[ENDS[0]] - wide[ENDS[1]]).abs().groupby(["county", "subgroup"]).sum() / 2
    return apart.unstack("subgroup").idxmax(axis=1)


def _share(name: str, flags: pd.Series) -> dict[str, float]:
    n = len(flags)
    share = float(flags.mean()) if n else np.nan
    error = float(np.sqrt(share * (1 - share) / n)) if n else np.nan
    return {f"share_{name}": share, f"share_{name}_mc": error}
