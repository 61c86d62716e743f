"""Question 1: what became of the two agencies' people when their extracts were joined."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revictimisation.analyses.analysis import Found, frame_checks, tell_checks
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import NOT_ESTIMABLE, OK, make_estimates

ANALYSIS = "linkage"


def describe_linkage(data: StudyData) -> Found:
    """The shares linked and not, and the rates of missed and false links; empty if none joined."""
    return Found(share_link_status(data.link_status), list_rates(data.linkage))


def share_link_status(counts: pd.DataFrame) -> pd.DataFrame:
    """The counts of `count_link_status` as shares, as `estimates`; `measure` is the agency."""
    if counts.empty:
        return make_estimates([])
    share = counts["n_events"] / counts["n_people"].where(counts["n_people"] > 0)
    return make_estimates(
        counts.rename(columns={"agency": "measure"}).assign(
            estimate=share,
            status=np.where(share.isna(), NOT_ESTIMABLE, OK),
            reason=np.where(share.isna(), "no_people", ""),
        ),
        question="q1", analysis=ANALYSIS, estimator="description", estimand="share",
    )  # fmt: skip


def list_rates(rates: Mapping[str, float]) -> pd.DataFrame:
    """The rates of the linkage in the form of `diagnostics`; none has a limit of its own."""
    return frame_checks(tell_checks(rates, ANALYSIS))
