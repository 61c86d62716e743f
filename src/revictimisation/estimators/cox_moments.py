"""The Cox model of people in several places, without moving a row.

A place (a county) tells of its log partial likelihood at a point: the slope (score), the curvature
(information), and the products of the score residuals of its victims, summed (spread). Places
have baseline hazards of their own, so the sums over places are those of the joined rows with a
stratum a place, and

    beta = (sum I_k)^-1 sum (I_k b_k + U_k),      b_k the point at which place k was asked,

is a step of Newton's method there. Asked at its own estimate, a place has U_k = 0, and beta is the
mean of all estimates weighted by their information (a fixed-effect meta-analysis of all
coefficients). Asked again at beta, and so on, it is the estimate of the joined rows (Lu et al.
2015, WebDISCO). Errors: the inverse of the summed information, or robust, with the summed spread
between two of them (Lin & Wei 1989); no victim is in two places.

What a place does not tell of (what it adjusts for, what is too small) is its own: it is at its
best there, and information and spread are those of the profile likelihood. The answer is then
that of the joined rows with coefficients of its own for each place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.estimators.cox import sum_score_squares
from revictimisation.estimators.cox_data import check_episodes, prepare_data
from revictimisation.estimators.design import Design
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.newton import maximise, maximise_others
from revictimisation.estimators.solve import factor_cholesky, invert_cholesky

# A column is left out when less than this share of its information is left beside the others.
ALIAS_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Moments:
    """A log partial likelihood at the point `at`; arrays in the order of `names`.

    `score` is its slope, `information` minus its second derivative, `spread` the sum over victims
    of the products of their score residuals. Units are those of the columns.
    """

    names: tuple[str, ...]
    at: Floats
    score: Floats
    information: Floats
    spread: Floats

    def to_frame(self) -> pd.DataFrame:
        """A row per number: `quantity` (a field's name), `name`, `other` (of matrices), `value`."""
        names = np.array(self.names, object)
        vectors = {"at": self.at, "score": self.score}
        matrices = {"information": self.information, "spread": self.spread}
        i, j = np.triu_indices(len(names))
        parts = [pd.DataFrame({"quantity": quantity, "name": names, "other": "", "value": vector})
                 for quantity, vector in vectors.items()]  # fmt: skip
        parts += [
            pd.DataFrame({"quantity": quantity, "name": names[i], "other": names[j],
                          "value": matrix[i, j]})
            for quantity, matrix in matrices.items()
        ]  # fmt: skip
        return pd.concat(parts, ignore_index=True)

    @classmethod
    def empty(cls) -> Moments:
        """Those of no column."""
        return cls((), np.zeros(0), np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0)))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Moments:
        """The moments of such a table."""
        parts = {str(quantity): part for quantity, part in frame.groupby("quantity")}
        if not parts:
            return cls.empty()
        names = tuple(parts["at"]["name"])
        place = {name: k for k, name in enumerate(names)}
        both = []
        for quantity in ("information", "spread"):
            matrix, part = np.zeros((len(names), len(names))), parts[quantity]
            rows, columns = (part[which].map(place) for which in ("name", "other"))
            matrix[rows, columns] = matrix[columns, rows] = part["value"]
            both.append(matrix)
        at, score = (parts[quantity]["value"].to_numpy(float) for quantity in ("at", "score"))
        return cls(names, at, score, *both)

    def take(self, names: Sequence[str]) -> Moments:
        """These columns, in this order; of one that is not there nothing is known."""
        place = {name: k for k, name in enumerate(self.names)}
        known = np.array([place.get(name, -1) for name in names], np.int64)
        has = known >= 0
        both = np.outer(has, has)
        return Moments(
            tuple(names),
            np.where(has, self.at[known], 0.0),
            np.where(has, self.score[known], 0.0),
            np.where(both, self.information[np.ix_(known, known)], 0.0),
            np.where(both, self.spread[np.ix_(known, known)], 0.0),
        )


def find_moments(
    design: Design,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    at: Mapping[str, float] | None = None,
) -> Moments:
    """The moments of episodes (start, stop], arguments as those of `cox.fit_cox`.

    Args:
        at: columns and the values they are held at; all others are at their best given these.
            None: at the estimate.

    Raises:
        NotEstimableError: no events, or a hazard beyond all numbers at the point.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> treated = design_from_array([[1.0], [0.0], [1.0], [0.0]], ["treated"])
        >>> days = ([0, 0, 0, 0], [4, 3, 6, 5], [1, 1, 0, 1])
        >>> found = find_moments(treated, *days, cluster=[1, 2, 3, 4], at={"treated": 0.0})
        >>> found.score.round(4).tolist(), found.information.round(4).tolist()
        ([-0.6667], [[0.7222]])
        >>> find_moments(treated, *days, cluster=[1, 2, 3, 4]).at.round(4).tolist()
        [-0.9406]
    """
    episodes = check_episodes(design.n_rows, start, stop, is_event, strata, None, cluster)
    data = prepare_data(design, episodes)
    if at is None:
        state = maximise(data).state
    else:
        is_fixed = np.array([name in at for name in data.names], np.bool_)
        beta = np.array([at.get(name, 0.0) for name in data.names]) * data.scale
        state = maximise_others(data, beta, is_fixed)
    assert data.cluster is not None
    spread, _ = sum_score_squares(data, state, data.cluster)
    if not (np.isfinite(state.loglik) and np.isfinite(spread).all()):
        raise NotEstimableError("beyond_all_numbers")
    both = np.outer(data.scale, data.scale)
    return Moments(
        data.names,
        state.beta / data.scale,
        state.score * data.scale,
        state.info * both,
        spread * both,
    )


def profile_out(moments: Moments, own: Collection[str]) -> Moments:
    """The moments of the other columns, each victim's residual less what `own` columns take up.

    The slope of `own` columns is 0 where they are at their best, as in `find_moments`.
    """
    is_own = np.array([name in own for name in moments.names], np.bool_)
    told = tuple(np.array(moments.names, object)[~is_own])
    inverse = _invert(moments.information[np.ix_(is_own, is_own)])
    take_up = moments.information[np.ix_(~is_own, is_own)] @ inverse
    left = np.zeros((len(told), len(moments.names)))
    left[:, ~is_own], left[:, is_own] = np.eye(len(told)), -take_up
    return Moments(
        told,
        moments.at[~is_own],
        left @ moments.score,
        (left @ moments.information)[:, ~is_own],
        left @ moments.spread @ left.T,
    )


@dataclass(frozen=True, eq=False)
class PooledCox:
    """The Cox model of several places; arrays in the order of `names`.

    Attributes:
        coef: log hazard ratios; NaN where no place tells, or not apart from the others.
        se_model, se_robust: errors from the information, and robust by victim.
        vcov_robust: the robust covariance.
        n_places: by column, the places that tell of it.
        steps: by column, how far the answer is from where any place was asked, at most, in its
            own standard errors: where all are next to nothing, it is that of the joined rows.
    """

    names: tuple[str, ...]
    coef: Floats
    se_model: Floats
    se_robust: Floats
    vcov_robust: Floats
    n_places: npt.NDArray[np.int64]
    steps: Floats


def pool_moments(places: Sequence[Moments]) -> PooledCox:
    """One step of Newton's method from where the places were asked to the answer of all.

    Raises:
        NotEstimableError: no place tells anything.

    Example: two places with one column, asked at their own estimates.
        >>> def tell(at, information):
        ...     known = np.array([[information]])
        ...     return Moments(("order",), np.array([at]), np.zeros(1), known, known)
        >>> found = pool_moments([tell(0.0, 1.0), tell(1.0, 3.0)])
        >>> found.coef.tolist(), found.se_robust.tolist(), found.steps.tolist()
        ([0.75], [0.5], [1.5])
    """
    names = tuple(dict.fromkeys(name for place in places for name in place.names))
    if not names:
        raise NotEstimableError("no_studies")
    same = [place.take(names) for place in places]
    information = np.sum([place.information for place in same], axis=0)
    towards = np.sum([place.information @ place.at + place.score for place in same], axis=0)
    covariance = _invert(information)
    robust = covariance @ np.sum([place.spread for place in same], axis=0) @ covariance
    is_told = np.diag(covariance) > 0
    coef = np.where(is_told, covariance @ towards, np.nan)
    se = np.sqrt(np.where(is_told, np.diag(covariance), np.nan))
    tells = np.array([np.diag(place.information) > 0 for place in same])
    gaps = np.abs(coef - np.array([place.at for place in same])) / se
    return PooledCox(
        names,
        coef,
        se,
        np.sqrt(np.where(is_told, np.maximum(np.diag(robust), 0.0), np.nan)),
        robust,
        tells.sum(axis=0),
        np.where(tells, gaps, 0.0).max(axis=0),
    )


def _invert(information: Floats) -> Floats:
    """The inverse; columns that can't be told from those before them are 0."""
    return invert_cholesky(*factor_cholesky(information, np.diag(information), ALIAS_TOLERANCE))
