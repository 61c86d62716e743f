"""The design matrix of a regression: columns with names, stored sparse.

Most covariates are categories, so most cells are zero and many people are alike. A design has two
sparse (CSR) blocks: `base` has a row per pattern of covariates, shared through `rows` by all
episodes of all people with it; `own` has a row per episode (the measures in force). At 1 million
people with 4 million episodes and 25 columns this is a tenth of the dense matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Codes, Floats, Whole
from revictimisation.core.codes import MISSING
from revictimisation.estimators.splines import bend, place_knots

_TRUTH = {True: "true", False: "false"}

Measures = Mapping[str, npt.ArrayLike] | pd.DataFrame

CHUNK_ROWS = 1 << 18


@dataclass(frozen=True, eq=False)
class Block:
    """A sparse matrix by rows: row i has the cells `indptr[i]:indptr[i+1]` of indices and values.

    Within a row the columns ascend. Numbers store every cell, zeros as well; indicators only ones.
    """

    names: tuple[str, ...]
    indptr: Whole
    indices: npt.NDArray[np.int32]
    values: Floats

    @property
    def n_rows(self) -> int:
        """Rows, those without a stored cell included."""
        return len(self.indptr) - 1


@dataclass(frozen=True, eq=False)
class Design:
    """Columns for a model over `n_rows` episodes.

    Attributes:
        base: a row per pattern of covariates that occurs.
        own: a row per episode, same order as `rows`.
        rows: for each episode its row in `base`.
        dropped: columns left out because they hold one value only.
    """

    base: Block
    own: Block
    rows: npt.NDArray[np.int32]
    dropped: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns: covariates first, then what belongs to the episode."""
        return self.base.names + self.own.names

    @property
    def n_rows(self) -> int:
        """Episodes."""
        return len(self.rows)

    def multiply(self, coef: Floats) -> Floats:
        """The sum of each row's cells, times the columns' coefficients."""
        n_base = len(self.base.names)
        base, own = _multiply(self.base, coef[:n_base]), _multiply(self.own, coef[n_base:])
        return np.asarray(base[self.rows] + own)

    def to_dense(self) -> Floats:
        """The full matrix, `n_rows` x `len(names)`; for small data and tests."""
        return self.take_dense(np.arange(self.n_rows))

    def take_dense(self, chosen: Whole) -> Floats:
        """The matrix of the chosen rows, in their order."""
        return np.hstack([_spread(self.base, self.rows[chosen]), _spread(self.own, chosen)])


def build_design(
    frame: pd.DataFrame,
    terms: Sequence[str],
    rows: npt.ArrayLike | None = None,
    *,
    measures: Measures | None = None,
    splines: Mapping[str, int] | None = None,
) -> Design:
    """Make the columns of `terms`, and of `measures`, for a row per episode.

    A number enters linearly, as the column `<term>`; where some are missing the cell is the mean of
    the values that occur, which lies among them, and the indicator `<term>:missing` is 1. One named
    in `splines` enters as a restricted cubic spline, with further columns `<term>:bend1` and on
    (`splines.bend`; knots at quantiles of the rows of `frame` in use), or linearly where fewer than
    3 of the knots differ. Everything else (text, true/false, categories) becomes indicators
    `<term>=<category>` with the alphabetically first category as reference; missing (null, empty,
    or the word `missing`) is a category of its own and never the reference unless there is no
    other. Columns that hold one value only are dropped and listed in `Design.dropped`; rows of
    `frame` without an episode don't count.

    Args:
        frame: covariates, a row per person (or per episode where `rows` is None).
        terms: columns of `frame`, in the order wanted; none is legal.
        rows: for each episode its row position in `frame`; None = frame has a row per episode.
        measures: columns that change within a person, a value per episode (0/1 or a number),
            none missing.
        splines: number of knots (3 to 7) of the terms that are to bend.

    Raises:
        ValueError: unknown or doubled term, a spline of what is no number among the terms, a row
            position outside the frame, a measure with missing values or of the wrong length,
            infinite numbers.

    Example:
        >>> people = pd.DataFrame({"sex": ["male", "female", None], "age": [30.0, 41.0, None]})
        >>> order = {"order": [0, 1, 0, 0]}
        >>> design = build_design(people, ["sex", "age"], [0, 0, 1, 2], measures=order)
        >>> design.names
        ('sex=male', 'sex=missing', 'age', 'age:missing', 'order')
        >>> design.to_dense()
        array([[ 1. ,  0. , 30. ,  0. ,  0. ],
               [ 1. ,  0. , 30. ,  0. ,  1. ],
               [ 0. ,  0. , 41. ,  0. ,  0. ],
               [ 0. ,  1. , 35.5,  1. ,  0. ]])
    """
    _check_terms(frame, terms, list(measures.keys()) if measures is not None else [])
    frame, places = _keep_used(frame, rows)
    bent = splines or {}
    if not set(bent) <= set(terms):
        raise ValueError(f"splines of what is no term: {', '.join(sorted(set(bent) - set(terms)))}")
    read = [_read_term(frame[term], term, bent.get(term)) for term in terms]
    pattern, shown = find_patterns([(one.codes, len(one.columns)) for one in read], len(frame))
    own, dropped_own = _measure_block(measures, len(places))
    dropped = [name for term in read for name in term.dropped] + dropped_own
    base = _base_block(read, shown)
    return Design(base, own, pattern.astype(np.int32)[places], tuple(dropped))


def add_measures(design: Design, rows: npt.ArrayLike, measures: Measures) -> Design:
    """The design of episodes whose people have a design without measures already.

    Saves reading the covariates anew for each of several models. Args: a design without columns by
    episode; for each episode the row of its person in it; the measures as in `build_design`.

    Example:
        >>> people = build_design(pd.DataFrame({"age": [30.0, 41.0]}), ["age"])
        >>> add_measures(people, [0, 0, 1], {"order": [0, 1, 1]}).to_dense().tolist()
        [[30.0, 0.0], [30.0, 1.0], [41.0, 1.0]]
    """
    if design.own.names:
        raise ValueError("the design has columns by episode already")
    places = design.rows[np.asarray(rows)]
    doubled = sorted({str(name) for name in measures} & set(design.base.names))
    if doubled:
        raise ValueError(f"named more than once: {', '.join(doubled)}")
    own, dropped = _measure_block(measures, len(places))
    return Design(design.base, own, places, (*design.dropped, *dropped))


def design_from_array(values: npt.ArrayLike, names: Sequence[str]) -> Design:
    """A design from a full matrix (episodes x columns) that is used as it stands.

    Example:
        >>> design_from_array([[1.0, 0.0], [2.0, 1.0]], ["age", "treated"]).n_rows
        2
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise ValueError("values must be a matrix with one column for each name")
    n_rows, n_columns = matrix.shape
    base = Block(
        tuple(names),
        np.arange(n_rows + 1, dtype=np.int64) * n_columns,
        np.tile(np.arange(n_columns, dtype=np.int32), n_rows),
        _finite(matrix.flatten(), "values"),
    )
    return Design(base, _measure_block(None, n_rows)[0], np.arange(n_rows, dtype=np.int32))


def standardise(block: Block) -> tuple[Floats, Floats, Floats]:
    """The cells of a block in units of their own: their values, and each column's centre and scale.

    A number (a cell in every row, of more than the values 0 and 1) is less its mean and divided by
    its standard deviation; a column with empty cells is divided by the root mean square of the
    others, which leaves an indicator as it is. So a fit depends on neither the location nor the
    unit of a covariate: a year near 2012 and a share near 1e-6 are as good as any other number.

    Example:
        >>> block = design_from_array([[2011.0, 1.0], [2013.0, 0.0]], ["year", "treated"]).base
        >>> standardise(block)
        (array([-1.,  1.,  1.,  0.]), array([2012.,    0.]), array([1., 1.]))
    """
    n_columns = len(block.names)
    counts = np.bincount(block.indices, minlength=n_columns)
    scale, centre = np.ones(n_columns), np.zeros(n_columns)
    is_mark = np.ones(n_columns, np.bool_)
    is_mark[block.indices[(block.values != 0) & (block.values != 1)]] = False
    for k in np.flatnonzero(~is_mark):
        column = block.values[block.indices == k]
        centre[k] = column.mean() if counts[k] == block.n_rows else 0.0
        spread = float(np.sqrt(np.mean((column - centre[k]) ** 2)))
        scale[k] = spread if spread > 0 else 1.0
    if is_mark.all():
        return block.values, centre, scale
    return (block.values - centre[block.indices]) / scale[block.indices], centre, scale


@dataclass(frozen=True, eq=False)
class _Term:
    """A term's values coded: `codes` per row of the frame, and for each code its cells.

    `columns` and `values` are codes x slots: the column (counted from the term's first, -1 = none)
    and the value in it.
    """

    names: list[str]
    codes: Codes
    columns: npt.NDArray[np.int32]
    values: Floats
    dropped: list[str]


def _read_term(series: pd.Series, term: str, n_knots: int | None) -> _Term:
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        return _read_number(series, term, n_knots)
    if n_knots is not None:
        raise ValueError(f"{term} is no number and can't enter as a spline")
    return _read_categories(series, term)


def _read_number(series: pd.Series, term: str, n_knots: int | None) -> _Term:
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, labels = pd.factorize(numbers)
    known = _finite(np.asarray(labels, dtype=np.float64), term)
    has_missing = bool((codes < 0).any())
    is_used, is_marked = len(known) > 1, has_missing and len(known) > 0
    knots = place_knots(numbers, n_knots) if n_knots is not None else np.empty(0)
    shown = np.column_stack([known, bend(known, knots)])[:, : None if is_used else 0]
    n_shown = shown.shape[1]
    names = [term, *(f"{term}:bend{k}" for k in range(1, n_shown))][:n_shown]
    names += [f"{term}:{MISSING}"] * is_marked
    columns = np.full((len(known) + has_missing, n_shown + 1), -1, dtype=np.int32)
    values = np.ones(columns.shape)
    columns[:, :n_shown] = np.arange(n_shown)
    filled = np.zeros((int(has_missing), n_shown))
    filled[:, :1] = known.mean() if len(known) else 0.0
    values[:, :n_shown] = np.vstack([shown, filled])
    if is_marked:
        columns[-1, -1] = len(names) - 1
    codes = np.where(codes < 0, len(known), codes)
    return _Term(names, codes, columns, values, [] if is_used else [term])


def _read_categories(series: pd.Series, term: str) -> _Term:
    codes, labels = pd.factorize(series, use_na_sentinel=True)
    texts = [text_of(label) for label in labels] + [MISSING]
    codes = np.where(codes < 0, len(labels), codes)
    observed = {texts[code] for code in np.flatnonzero(np.bincount(codes, minlength=len(texts)))}
    ordered = sorted(observed - {MISSING}) + sorted(observed & {MISSING})
    rank = {category: place - 1 for place, category in enumerate(ordered)}
    columns = np.array([[rank.get(text, -1)] for text in texts], dtype=np.int32)
    names = [f"{term}={category}" for category in ordered]
    return _Term(names[1:], codes, columns, np.ones(columns.shape), names if len(names) < 2 else [])


def text_of(label: object) -> str:
    """What a level is called in the name of its column."""
    if isinstance(label, (bool, np.bool_)):
        return _TRUTH[bool(label)]
    return str(label).strip() or MISSING


def find_patterns(terms: Sequence[tuple[Codes, int]], n_rows: int) -> tuple[Codes, Codes]:
    """Rows that are alike in all terms get one number; also the first row that shows each pattern.

    terms: codes from 0 of each row, and how many there are.

    >>> pattern, shown = find_patterns([(np.array([0, 1, 0]), 2), (np.array([1, 0, 1]), 2)], 3)
    >>> pattern.tolist(), shown.tolist()
    ([0, 1, 0], [0, 1])
    """
    pattern, n_patterns = np.zeros(n_rows, dtype=np.int64), min(n_rows, 1)
    for codes, size in terms:
        pattern = pattern * size + codes
        n_patterns *= size
        if n_patterns > max(1000, n_rows):  # numbers must stay far from overflow
            pattern, labels = pd.factorize(pattern)
            n_patterns = len(labels)
    pattern, labels = pd.factorize(pattern)
    shown = np.zeros(len(labels), dtype=np.int64)
    shown[pattern[::-1]] = np.arange(n_rows - 1, -1, -1)
    return pattern.astype(np.int64, copy=False), shown


def _base_block(terms: Sequence[_Term], shown: Codes) -> Block:
    """A row per pattern, its cells in the order of the columns."""
    columns, values = [np.empty((len(shown), 0), np.int32)], [np.empty((len(shown), 0))]
    names: list[str] = []
    for term in terms:
        mine = term.columns[term.codes[shown]]
        columns.append(np.where(mine >= 0, mine + len(names), -1).astype(np.int32))
        values.append(term.values[term.codes[shown]])
        names += term.names
    all_columns, all_values = np.hstack(columns), np.hstack(values)
    is_held = all_columns >= 0
    return Block(
        tuple(names), _pointers(is_held.sum(axis=1)), all_columns[is_held], all_values[is_held]
    )


def _measure_block(measures: Measures | None, n_rows: int) -> tuple[Block, list[str]]:
    columns, dropped = {}, []
    for name in measures if measures is not None else ():
        values = _measure_values(measures[name], str(name), n_rows)  # type: ignore[index]
        if values.size == 0 or values.min() == values.max():
            dropped.append(str(name))
        else:
            columns[str(name)] = values
    counts, indices, cells = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0)]
    for first in range(0, n_rows, CHUNK_ROWS):  # in chunks, to stay small in memory
        some = [values[first : first + CHUNK_ROWS] for values in columns.values()]
        matrix = np.column_stack([*some, np.empty((min(CHUNK_ROWS, n_rows - first), 0), np.int8)])
        place, column = np.nonzero(matrix)
        counts.append(np.bincount(place, minlength=len(matrix)))
        indices.append(column.astype(np.int32))
        cells.append(matrix[place, column].astype(np.float64))
    pointers = _pointers(np.concatenate(counts))
    return Block(tuple(columns), pointers, np.concatenate(indices), np.concatenate(cells)), dropped


def _measure_values(column: npt.ArrayLike, name: str, n_rows: int) -> npt.NDArray[np.generic]:
    values = np.asarray(column)
    if values.shape != (n_rows,):
        raise ValueError(f"measure {name} has {values.size} values for {n_rows} episodes")
    if values.dtype.kind in "biu":
        return values.view(np.int8) if values.dtype.kind == "b" else values
    return _finite(values.astype(np.float64), name)


def _pointers(counts: npt.NDArray[np.integer]) -> Codes:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _keep_used(
    frame: pd.DataFrame, rows: npt.ArrayLike | None
) -> tuple[pd.DataFrame, npt.NDArray[np.int32]]:
    """The rows of the frame that have an episode, and where each episode finds its row."""
    if rows is None:
        return frame, np.arange(len(frame), dtype=np.int32)
    places = np.asarray(rows)
    if places.size and (places.min() < 0 or places.max() >= len(frame)):
        raise ValueError("rows points outside the frame of covariates")
    is_used = np.zeros(len(frame), dtype=np.bool_)
    is_used[places] = True
    if is_used.all():
        return frame, places.astype(np.int32)
    return frame[is_used], (np.cumsum(is_used, dtype=np.int32) - 1)[places]


def _check_terms(frame: pd.DataFrame, terms: Sequence[str], measures: Sequence[str]) -> None:
    unknown = [term for term in terms if term not in frame.columns]
    if unknown:
        raise ValueError(f"the covariates have no column {', '.join(unknown)}")
    wanted = [*terms, *measures]
    doubled = sorted({name for name in wanted if wanted.count(name) > 1})
    if doubled:
        raise ValueError(f"named more than once: {', '.join(doubled)}")


def _finite(values: Floats, name: str) -> Floats:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds missing or infinite numbers")
    return values


def _multiply(block: Block, coef: Floats) -> Floats:
    row = np.repeat(np.arange(block.n_rows), np.diff(block.indptr))
    cells = block.values * coef[block.indices]
    return np.bincount(row, cells, block.n_rows).astype(np.float64)


def _spread(block: Block, rows: npt.NDArray[np.integer[Any]]) -> Floats:
    """The chosen rows of a block in full."""
    sizes = np.diff(block.indptr)[rows]
    row_of = np.repeat(np.arange(len(rows)), sizes)
    cells = np.arange(len(row_of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    cells += np.repeat(block.indptr[rows], sizes)
    full = np.zeros((len(rows), len(block.names)))
    full[row_of, block.indices[cells]] = block.values[cells]
    return full
