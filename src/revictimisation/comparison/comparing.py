"""Two or more runs held against each other: all rows of `comparison`, lights given, and the advice.

The first run is the reference, against which each other is held; the effects of all are pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from revictimisation.comparison.case_mix import compare_case_mix, compare_coding
from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.definitions import compare_definitions
from revictimisation.comparison.effects import compare_effects, pool_effects
from revictimisation.comparison.follow_up import compare_follow_up, compare_linkage
from revictimisation.comparison.incidence import compare_incidence
from revictimisation.comparison.risk_fit import compare_risk_model
from revictimisation.comparison.rows import (
    CANNOT_TELL,
    FITS,
    WORST_OF,
    combine_rows,
    give_lights,
    make_rows,
    read_severity,
)
from revictimisation.comparison.transport import compare_transport
from revictimisation.comparison.volumes import compare_volumes
from revictimisation.plan.parts import Comparison

TOPICS = ("data", "risk", "effects", "transport")
Compare = Callable[[Cohort, Cohort, Comparison], pd.DataFrame]
# Every comparison of two runs, in the order in which their rows stand.
COMPARISONS: tuple[Compare, ...] = (
    lambda reference, new, limits: compare_definitions(reference, new),
    compare_volumes,
    compare_case_mix,
    compare_coding,
    compare_linkage,
    compare_follow_up,
    compare_incidence,
    compare_effects,
    compare_risk_model,
    compare_transport,
)


def compare_cohorts(
    cohorts: Sequence[Cohort], limits: Comparison, more: Sequence[Compare] = ()
) -> pd.DataFrame:
    """All rows of `comparison`: of each run against the first, of all pooled, and the advice.

    `more`: further comparisons of two runs, such as of what only restricted tables hold.
    """
    reference, *others = cohorts
    parts = [
        combine_rows(part(reference, new, limits) for part in (*COMPARISONS, *more))
        for new in others
    ]
    rows = give_lights(combine_rows([*parts, pool_effects(cohorts)]), limits.familywise_error)
    advice = [advise(rows[rows["cohort"].eq(new.name)]) for new in others]
    return combine_rows([*advice, rows])


def advise(rows: pd.DataFrame) -> pd.DataFrame:
    """The answer of each topic of one cohort, and of all: the most serious light that is given.

    `difference` is the number of checks that do not fit, `n_new` of how many that were judged. A
    topic fits where at least half of its checks gave an answer, else the light is `cannot_tell`:
    that nothing was found says little where little could be.
    """
    judged = rows[rows["light"].ne("")]
    made = [_sum_up(judged, "")]
    made += [_sum_up(judged[judged["topic"].eq(topic)], topic) for topic in TOPICS
             if judged["topic"].eq(topic).any()]  # fmt: skip
    return make_rows(made, cohort=str(rows["cohort"].iloc[0]), check="overall")


def _sum_up(judged: pd.DataFrame, topic: str) -> dict[str, object]:
    severity = read_severity()
    told = judged[~judged["light"].isin([CANNOT_TELL])]
    worst = max(told["light"], key=severity.__getitem__, default=CANNOT_TELL)
    if worst == FITS and 2 * len(told) < len(judged):
        worst = CANNOT_TELL
    return {"subject": topic, "light": worst, "rule": WORST_OF, "n_new": len(judged),
            "difference": float(told["light"].ne(FITS).sum())}  # fmt: skip
