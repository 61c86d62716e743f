"""Hazard ratios of all measures together, with what they have in common, as they may leave.

Told is no more, and no more exactly, than the release tells of each measure by itself: measures
whose log hazard ratio is shown there, with three decimals and an error of two digits; correlations
with two decimals. All others are adjusted for and not told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.core.errors import DisclosureError
from revictimisation.core.results import OK, choose
from revictimisation.disclosure.rounding import DECIMALS, two_digits
from revictimisation.estimators.cox_moments import Moments, profile_out

RATIOS = ("measure", "asked_at", "log_hazard_ratio", "se_model", "se_robust")
CORRELATIONS = ("measure", "other", "model", "robust")
CORRELATION_DECIMALS = 2
# How many standard errors from its own answer a study lets itself be asked: far from it few people
# decide what it says.
FARTHEST = 5.0


def list_own(released: pd.DataFrame) -> pd.DataFrame:
    """The log hazard ratios of the main analysis that released `estimates` show, by measure."""
    shown = choose(
        released, question="q2", analysis="main", estimator="cox_time_varying",
        estimand="log_hazard_ratio", subgroup="", status=OK,
    )  # fmt: skip
    return shown.set_index("measure")


def list_told(released: pd.DataFrame) -> list[str]:
    """The measures whose hazard ratio of the main analysis is shown in released `estimates`."""
    return [str(name) for name in list_own(released).index]


def disclose_hazard_ratios(
    exact: Moments, told: Collection[str], *, is_asked: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The releasable form of moments: a row per measure told, and a row per pair of them.

    `log_hazard_ratio` is one step of Newton's method from the point at which the study was asked
    (`asked_at`, where it was: `is_asked`), else its own estimate; `se_model` and `model` stand for
    the information, `se_robust` and `robust` for the spread between two of its inverses.
    """
    kept = profile_out(exact, {*exact.names} - {*told})
    if not kept.names:
        return pd.DataFrame(columns=list(RATIOS)), pd.DataFrame(columns=list(CORRELATIONS))
    model: Floats = np.linalg.inv(kept.information).astype(np.float64)
    robust = model @ kept.spread @ model
    errors = {"se_model": np.sqrt(np.diag(model)), "se_robust": np.sqrt(np.diag(robust))}
    ratios = pd.DataFrame(
        {
            "measure": list(kept.names),
            "asked_at": kept.at if is_asked else np.nan,
            "log_hazard_ratio": np.round(kept.at + model @ kept.score, DECIMALS),
            **{name: two_digits(pd.Series(error)) for name, error in errors.items()},
        }
    )
    upper = np.triu_indices(len(kept.names), 1)
    names = np.array(kept.names, object)
    correlations = pd.DataFrame(
        {
            "measure": names[upper[0]],
            "other": names[upper[1]],
            "model": _correlate(model)[upper],
            "robust": _correlate(robust)[upper],
        }
    )
    return ratios, correlations


def read_moments(ratios: pd.DataFrame, correlations: pd.DataFrame) -> Moments:
    """The moments that such tables stand for."""
    names = tuple(str(name) for name in ratios["measure"])
    place = {name: k for k, name in enumerate(names)}
    rows, columns = (correlations[which].map(place).to_numpy(int) for which in ("measure", "other"))
    covariances = []
    for kind in ("model", "robust"):
        correlation = np.eye(len(names))
        correlation[rows, columns] = correlation[columns, rows] = correlations[kind]
        error = ratios[f"se_{kind}"].to_numpy(float)
        covariances.append(_make_definite(correlation) * np.outer(error, error))
    information: Floats = np.linalg.inv(covariances[0]).astype(np.float64)
    estimate = ratios["log_hazard_ratio"].to_numpy(float)
    at = ratios["asked_at"].fillna(ratios["log_hazard_ratio"]).to_numpy(float)
    return Moments(
        names, at, information @ (estimate - at), information,
        information @ covariances[1] @ information,
    )  # fmt: skip


def _correlate(covariance: Floats) -> Floats:
    error = np.sqrt(np.diag(covariance))
    rounded: Floats = np.round(covariance / np.outer(error, error), CORRELATION_DECIMALS)
    return rounded + 0.0


def _make_definite(correlation: Floats) -> Floats:
    """Correlations that rounding has made impossible are brought nearer to 0, no more than needed.

    >>> made = _make_definite(np.array([[1.0, 1.0], [1.0, 1.0]]))
    >>> bool(np.linalg.eigvalsh(made).min() > 0)
    True
    """
    least = 10.0**-CORRELATION_DECIMALS / 2
    lowest = float(np.linalg.eigvalsh(correlation).min()) if len(correlation) else 1.0
    share = min(1.0, (1 - least) / (1 - lowest)) if lowest < least else 1.0
    made: Floats = np.eye(len(correlation)) * (1 - share) + correlation * share
    return made


def choose_point(released: pd.DataFrame, point: Mapping[str, float]) -> dict[str, float]:
    """Of the point at which a study is asked the measures that it tells of.

    Raises `DisclosureError` for a point too far from its own released answer.
    """
    own = list_own(released)
    chosen = {name: value for name, value in point.items() if name in own.index}
    known = own.loc[[*chosen], ["estimate", "se"]].to_numpy(float)
    steps = np.abs(np.array([*chosen.values()]) - known[:, 0]) / known[:, 1]
    far = [name for name, step in zip(chosen, steps, strict=True) if step > FARTHEST]
    if far:
        raise DisclosureError(
            f"Frågan ligger mer än {FARTHEST:.0f} medelfel från länets eget svar om"
            f" {', '.join(far)}. Svar på sådana frågor kan tillsammans röja enskilda. / The"
            " question lies so many standard errors from the county's own answer: answers to such"
            " may together tell of individuals."
        )
    return chosen
