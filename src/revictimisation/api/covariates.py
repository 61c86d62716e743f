"""The covariates of a model: a formula, or columns as they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.api.columns import Columns, missing_column
from revictimisation.estimators.design import Block, Design, build_design

INTERCEPT = "Intercept"
STRATA = re.compile(r"\bstrata\s*\(")


def make_design(
    columns: Columns,
    formula: str | None,
    covariates: Sequence[str] | None,
    splines: Mapping[str, int] | None,
) -> Design:
    """The columns of a model over the rows of a frame.

    By `formula` as formulaic reads it (its intercept left out: a hazard has its baseline), or by
    the names of `covariates` as `estimators.design.build_design` takes them: numbers linearly, or
    as restricted cubic splines with so many knots where `splines` names them, all else as
    indicators, missing values as a level of their own. Neither: all columns of the frame that serve
    for nothing else.

    Raises:
        ValueError: both ways at once, no such column, missing values in a formula's columns, a
            formula with a left side, what formulaic refuses.
    """
    if formula is not None:
        if covariates is not None or splines:
            raise ValueError("give formula, or covariates and splines, not both")
        return _read_formula(columns, formula)
    names = columns.rest if covariates is None else list(covariates)
    unknown = [name for name in names if name not in columns.frame.columns]
    columns.faults += [f"covariates: {missing_column(name, columns.frame)}" for name in unknown]
    columns.check()
    return build_design(columns.frame, names, splines=splines)


def _read_formula(columns: Columns, text: str) -> Design:
    """A formula over rows that are alike is evaluated once; unless it computes with a column.

    What a function of a column gives (`center(age)`, `cr(age, df=4)`) may depend on all rows.
    """
    from formulaic import Formula, SimpleFormula
    from formulaic.errors import FormulaicError

    if STRATA.search(text):
        raise ValueError("formula: strata are named by strata_col, not in the formula")
    try:
        formula = Formula(text)
    except FormulaicError as fault:
        raise ValueError(f"formula: {str(fault).splitlines()[0]} In {text!r}") from None
    if not isinstance(formula, SimpleFormula):
        raise ValueError("formula: the right side alone, such as 'age + C(sex)'; the outcome is"
                         " named by the columns of days and events")  # fmt: skip
    frame, variables = columns.frame, [str(name) for name in formula.required_variables]
    known = sorted(name for name in variables if name in frame.columns)
    for name in known:
        n_missing = int(frame[name].isna().sum())
        if n_missing:
            columns.faults.append(
                f"column {name!r}: {n_missing} of {len(frame)} rows have no value, which a formula"
                " can't take: fill or drop them, or use covariates= (missing as a level of its own)"
            )
    columns.check()
    is_plain = all(f.eval_method.value != "python" for term in formula for f in term.factors)
    rows, shown = np.arange(len(frame), dtype=np.int64), frame
    if is_plain and known:
        rows = frame.groupby(known, sort=False, observed=True).ngroup().to_numpy(np.int64)
        first = np.unique(rows, return_index=True)[1]
        shown = frame[known].iloc[first]
    try:
        matrix: Any = formula.get_model_matrix(shown, na_action="raise", context=None)
    except FormulaicError as fault:
        told = str(fault).replace("\n", " ")
        raise ValueError(f"formula: {told} The columns: {', '.join(frame.columns)}") from None
    made = pd.DataFrame(matrix).drop(columns=INTERCEPT, errors="ignore")
    block = _to_block(made.to_numpy(np.float64), tuple(str(name) for name in made.columns))
    nothing = Block((), np.zeros(len(frame) + 1, np.int64), np.zeros(0, np.int32), np.zeros(0))
    return Design(block, nothing, rows.astype(np.int32))


def _to_block(values: npt.NDArray[np.float64], names: tuple[str, ...]) -> Block:
    """A full matrix as a block: of indicators the ones, of numbers every cell."""
    if not np.isfinite(values).all():
        raise ValueError("formula: it gives missing or infinite numbers")
    is_number = ((values != 0) & (values != 1)).any(axis=0)
    is_held = (values != 0) | is_number
    counts = is_held.sum(axis=1)
    pointers = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    return Block(names, pointers, np.nonzero(is_held)[1].astype(np.int32), values[is_held])
