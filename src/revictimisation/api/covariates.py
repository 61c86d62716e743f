"""The covariates of a model: a formula, or columns as they stand."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.api.columns import Columns, missing_column
from revictimisation.core.codes import MISSING
from revictimisation.estimators.design import (
    Block,
    Design,
    add_measures,
    build_design,
    find_patterns,
    text_of,
)
from revictimisation.estimators.splines import bend, place_knots

INTERCEPT = "Intercept"
STRATA = re.compile(r"\bstrata\s*\(")


Coder = Callable[[pd.DataFrame], npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Coded:
    """The columns of a model: their design, their names as asked for, other rows in them (`code`).

    `code` gives a full matrix in the order of the design's columns; levels, means and knots are
    those of the rows that the model was fitted to. It raises `ValueError` for a column that is not
    there and for a level that was not.
    """

    design: Design
    names: list[str]
    code: Coder


def make_design(
    columns: Columns,
    formula: str | None,
    covariates: Sequence[str] | None,
    splines: Mapping[str, int] | None,
    *,
    has_own: bool = True,
) -> Coded:
    """The columns of a model over the rows of a frame.

    By `formula` as formulaic reads it (its intercept left out: a hazard has its baseline), or by
    the names of `covariates` as `estimators.design.build_design` takes them: numbers linearly, or
    as restricted cubic splines with so many knots where `splines` names them, all else as
    indicators, missing values as a level of their own. Neither: all columns of the frame that serve
    for nothing else. In the design what is 0 or 1 in every row (a measure in force) stands last and
    by row; unless not `has_own`.

    Raises:
        ValueError: both ways at once, no such column, missing values in a formula's columns, a
            formula with a left side, what formulaic refuses.
    """
    if formula is not None:
        if covariates is not None or splines:
            raise ValueError("give formula, or covariates and splines, not both")
        return _read_formula(columns, formula, has_own)
    frame = columns.frame
    names = columns.rest if covariates is None else list(covariates)
    unknown = [name for name in names if name not in frame.columns]
    columns.faults += [f"covariates: {missing_column(name, frame)}" for name in unknown]
    for name in (one for one in splines or () if one not in unknown):
        if name not in names:
            listed, is_there = ", ".join(names) or "none", name in frame.columns
            what = f"add {name!r} there" if is_there else missing_column(name, frame)
            columns.faults.append(f"splines: {name!r} is not among covariates ({listed}): {what}")
        elif not pd.api.types.is_numeric_dtype(frame[name]):
            listed = ", ".join(frame.select_dtypes("number").columns)
            columns.faults.append(f"splines: {name} is no number; numbers are {listed}")
    columns.check()
    own = [name for name in names if has_own and _is_mark(frame[name])]
    terms = [name for name in names if name not in own]
    design = build_design(frame, terms, measures=frame[own], splines=splines)
    asked = sorted(design.names, key=lambda name: names.index(_find_term(name, names)))

    def code(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        _check_columns(rows, [_find_term(name, names) for name in design.names])
        columns = [
            _code(name, _find_term(name, names), frame, rows, splines) for name in design.names
        ]
        return np.column_stack([*columns, np.empty((len(rows), 0))])

    return Coded(design, asked, code)


def _check_columns(rows: pd.DataFrame, names: Sequence[str]) -> None:
    told = [missing_column(name, rows) for name in dict.fromkeys(names) if name not in rows.columns]
    if told:
        raise ValueError("\n".join(told))


def _code(
    name: str, term: str, frame: pd.DataFrame, rows: pd.DataFrame, splines: Mapping[str, int] | None
) -> npt.NDArray[np.float64]:
    """A column of `build_design` on `frame` for other rows."""
    if name.startswith(f"{term}="):
        known, texts = (_read_texts(part[term]) for part in (frame, rows))
        strange = int((~texts.isin(known.unique())).sum())
        if strange:
            raise ValueError(f"column {term!r}: {strange} rows have a level that the model has not")
        return np.asarray(texts == name.removeprefix(f"{term}="), np.float64)
    given, fitted = (part[term].to_numpy(np.float64, na_value=np.nan) for part in (rows, frame))
    if name == f"{term}:{MISSING}":
        return np.isnan(given).astype(np.float64)
    if name == term:
        return np.where(np.isnan(given), np.unique(fitted[~np.isnan(fitted)]).mean(), given)
    bent = bend(given, place_knots(fitted, (splines or {})[term]))
    return np.nan_to_num(bent[:, int(name.removeprefix(f"{term}:bend")) - 1])


def _read_texts(column: pd.Series) -> pd.Series:
    return column.astype(object).map(text_of, na_action="ignore").fillna(MISSING)


def _find_term(name: str, terms: Sequence[str]) -> str:
    """The term that a column of `build_design` is of.

    >>> _find_term("age:bend1", ["age", "sex"]), _find_term("sex=male", ["age", "sex"])
    ('age', 'sex')
    """
    of = [term for term in terms if name == term or name.startswith((f"{term}:", f"{term}="))]
    return max(of, key=len)


def _read_formula(columns: Columns, text: str, has_own: bool) -> Coded:
    """A formula's columns; rows that are alike in all that it names are evaluated once.

    Unless it computes with a column: a function (`center(age)`, `cr(age, df=4)`) may depend on all
    rows. Terms that are a column of 0 and 1, and stand in no other term, are read as they are.
    """
    from formulaic.errors import DataMismatchWarning, FormulaicError

    frame, formula = columns.frame, _parse(text)
    named = sorted(str(name) for name in formula.required_variables if name in frame.columns)
    for name in named:
        n_missing = int(frame[name].isna().sum())
        if n_missing:
            columns.faults.append(
                f"column {name!r}: {n_missing} of {len(frame)} rows have no value, which a formula"
                " can't take: fill or drop them, or use covariates= (missing as a level of its own)"
            )
    columns.check()
    uses = Counter(factor.expr for term in formula for factor in term.factors)
    own = [
        str(term)
        for term in formula
        if has_own and str(term) in named and uses[str(term)] == 1 and _is_mark(frame[str(term)])
    ]
    rest = formula.__class__([term for term in formula if str(term) not in own])
    is_plain = all(one.eval_method.value != "python" for term in rest for one in term.factors)
    shared = [name for name in named if name in rest.required_variables]
    rows: npt.NDArray[np.int64] = np.arange(len(frame), dtype=np.int64)
    shown = frame
    if is_plain and shared:
        codes = [pd.factorize(frame[name]) for name in shared]
        rows, first = find_patterns([(code, len(levels)) for code, levels in codes], len(frame))
        shown = frame[shared].iloc[first]
    try:
        matrix = rest.get_model_matrix(shown, na_action="raise", context=None)
    except FormulaicError as fault:
        told = str(fault).replace("\n", " ")
        raise ValueError(f"formula: {told} The columns: {', '.join(frame.columns)}") from None
    made = pd.DataFrame(matrix).drop(columns=INTERCEPT, errors="ignore")
    base = _to_block(made.to_numpy(np.float64), tuple(str(name) for name in made.columns))
    nothing = Block((), np.zeros(len(frame) + 1, np.int64), np.zeros(0, np.int32), np.zeros(0))
    people = Design(base, nothing, rows.astype(np.int32))
    design = add_measures(people, np.arange(len(frame)), frame[own])
    spec = matrix.model_spec
    of_term = {
        str(term): [spec.column_names[k] for k in places]
        for term, places in spec.term_indices.items()
    }
    asked = [name for term in formula for name in of_term.get(str(term), [str(term)])]

    def code(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        _check_columns(rows, named)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", DataMismatchWarning)
                matrix = spec.get_model_matrix(rows, na_action="raise")
        except (FormulaicError, DataMismatchWarning, ValueError):
            raise ValueError(
                "formula: the rows lack a column of it, or have missing values or levels that the"
                " model has not"
            ) from None
        made = pd.DataFrame(matrix).drop(columns=INTERCEPT, errors="ignore")
        return np.column_stack([made.to_numpy(np.float64), rows[[*design.own.names]]])

    return Coded(design, [name for name in asked if name in design.names], code)


def _parse(text: str) -> Any:
    """A formula without a left side, as formulaic's terms."""
    from formulaic import Formula, SimpleFormula
    from formulaic.errors import FormulaicError

    if STRATA.search(text):
        raise ValueError("formula: strata are named by strata_col, not in the formula")
    try:
        formula = Formula(text)
    except FormulaicError as fault:
        raise ValueError(f"formula: {str(fault).splitlines()[0]} In {text!r}") from None
    if not isinstance(formula, SimpleFormula):
        raise ValueError(
            "formula: the right side alone, such as 'age + C(sex)'; the outcome is named by the"
            " columns of days and events"
        )
    return formula


def _is_mark(column: pd.Series) -> bool:
    """Whether a column of numbers is 0 or 1 in every row."""
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "iuf":
        return False
    values = column.to_numpy()
    return all(bool(((some == 0) | (some == 1)).all()) for some in (values[:1000], values))


def _to_block(values: npt.NDArray[np.float64], names: tuple[str, ...]) -> Block:
    """A full matrix as a block: of indicators the ones, of numbers every cell."""
    if not np.isfinite(values).all():
        raise ValueError("formula: it gives missing or infinite numbers")
    is_number = ((values != 0) & (values != 1)).any(axis=0)
    is_held = (values != 0) | is_number
    counts = is_held.sum(axis=1)
    pointers = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    return Block(names, pointers, np.nonzero(is_held)[1].astype(np.int32), values[is_held])
