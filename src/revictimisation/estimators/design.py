"""The design matrix of a regression: columns with names, stored sparse.

Most covariates are categories, so most cells are zero. A design has two sparse (CSR) blocks:
`base` has a row per person and is shared by all of the person's episodes through `rows`; `own` has
a row per episode (the measures in force). At 1 million people with 3.6 million episodes this is a
tenth of the dense matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

MISSING = "missing"
_TRUTH = {True: "true", False: "false"}

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """A sparse matrix by rows: row i has the cells `indptr[i]:indptr[i+1]` of indices and values.

    Within a row the columns ascend. Numbers store every cell, zeros as well; indicators only ones.
    """

    names: tuple[str, ...]
    indptr: npt.NDArray[np.int64]
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
        base: a row per row of the frame of covariates (a person).
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

    def to_dense(self) -> Floats:
        """The full matrix, `n_rows` x `len(names)`; for small data and tests."""
        base, own = _spread(self.base), _spread(self.own)
        return np.hstack([base[self.rows], own])


def build_design(
    frame: pd.DataFrame,
    terms: Sequence[str],
    rows: npt.ArrayLike | None = None,
    *,
    measures: Mapping[str, npt.ArrayLike] | pd.DataFrame | None = None,
) -> Design:
    """Make the columns of `terms`, and of `measures`, for a row per episode.

    A number enters linearly, as the column `<term>`; where some are missing the cell is 0 and the
    indicator `<term>:missing` is 1. Everything else (text, true/false, categories) becomes
    indicators `<term>=<category>` with the alphabetically first category as reference; missing
    (null, empty, or the word `missing`) is a category of its own and never the reference unless
    there is no other. Columns that hold one value only are dropped and listed in `Design.dropped`;
    rows of `frame` without an episode don't count.

    Args:
        frame: covariates, a row per person (or per episode where `rows` is None).
        terms: columns of `frame`, in the order wanted; none is legal.
        rows: for each episode its row position in `frame`; None = frame has a row per episode.
        measures: columns that change within a person, a value per episode (0/1 or a number),
            none missing.

    Raises:
        ValueError: unknown or doubled term, a row position outside the frame, a measure with
            missing values or of the wrong length, infinite numbers.

    Example:
        >>> people = pd.DataFrame({"sex": ["male", "female", None], "age": [30.0, 41.0, None]})
        >>> order = {"order": [0, 1, 0, 0]}
        >>> design = build_design(people, ["sex", "age"], [0, 0, 1, 2], measures=order)
        >>> design.names
        ('sex=male', 'sex=missing', 'age', 'age:missing', 'order')
        >>> design.to_dense()
        array([[ 1.,  0., 30.,  0.,  0.],
               [ 1.,  0., 30.,  0.,  1.],
               [ 0.,  0., 41.,  0.,  0.],
               [ 0.,  1.,  0.,  1.,  0.]])
    """
    _check_terms(frame, terms, list(measures.keys()) if measures is not None else [])
    frame, places = _keep_used(frame, rows)
    columns, dropped = _Columns(), list[str]()
    for term in terms:
        dropped += _add_term(columns, frame[term], term)
    own, dropped_own = _measure_block(measures, len(places))
    return Design(columns.to_block(len(frame)), own, places, tuple(dropped + dropped_own))


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
        _finite(matrix.ravel(), "values"),
    )
    return Design(base, _Columns().to_block(n_rows), np.arange(n_rows, dtype=np.int32))


class _Columns:
    """Columns gathered one term at a time; each term gives a row at most one cell per slot."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.slots: list[tuple[Ints, Floats | None]] = []

    def add(self, names: Sequence[str], codes: Ints, values: Floats | None = None) -> None:
        """Add columns: `codes` says for each row which of `names` holds a cell, -1 = none."""
        shift = np.where(codes >= 0, codes + len(self.names), -1).astype(np.int32)
        self.names += names
        self.slots.append((shift, values))

    def to_block(self, n_rows: int) -> Block:
        """Gather all cells by rows."""
        stored = np.zeros(n_rows, dtype=np.int64)
        for codes, _ in self.slots:
            stored += codes >= 0
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(stored)])
        indices = np.empty(indptr[-1], dtype=np.int32)
        cells = np.ones(indptr[-1], dtype=np.float64)
        place = indptr[:-1].copy()
        for codes, values in self.slots:
            held = codes >= 0
            indices[place[held]] = codes[held]
            if values is not None:
                cells[place[held]] = values[held]
            place += held
        return Block(tuple(self.names), indptr, indices, cells)


def _add_term(columns: _Columns, series: pd.Series, term: str) -> list[str]:
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        return _add_number(columns, series, term)
    return _add_categories(columns, series, term)


def _add_number(columns: _Columns, series: pd.Series, term: str) -> list[str]:
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(values)
    known = _finite(values[~missing], term)
    dropped = []
    if len(known) and known.min() < known.max():
        filled = np.where(missing, 0.0, values)
        columns.add([term], np.zeros(len(values), np.int32), filled)
    else:
        dropped.append(term)
    if 0 < missing.sum() < len(values):
        columns.add([f"{term}:{MISSING}"], np.where(missing, 0, -1).astype(np.int32))
    return dropped


def _add_categories(columns: _Columns, series: pd.Series, term: str) -> list[str]:
    codes, labels = pd.factorize(series, use_na_sentinel=True)
    texts = [_text_of(label) for label in labels] + [MISSING]
    codes = np.where(codes < 0, len(labels), codes)
    observed = {texts[code] for code in np.flatnonzero(np.bincount(codes, minlength=len(texts)))}
    ordered = sorted(observed - {MISSING}) + sorted(observed & {MISSING})
    if len(ordered) < 2:
        return [f"{term}={category}" for category in ordered]
    rank = {category: place - 1 for place, category in enumerate(ordered)}
    lookup = np.array([rank.get(text, -1) for text in texts], dtype=np.int32)
    columns.add([f"{term}={category}" for category in ordered[1:]], lookup[codes])
    return []


def _text_of(label: object) -> str:
    if isinstance(label, (bool, np.bool_)):
        return _TRUTH[bool(label)]
    return str(label).strip() or MISSING


def _measure_block(
    measures: Mapping[str, npt.ArrayLike] | pd.DataFrame | None, n_rows: int
) -> tuple[Block, list[str]]:
    columns, dropped = _Columns(), list[str]()
    for name, values in _named_values(measures, n_rows):
        if values.size == 0 or values.min() == values.max():
            dropped.append(name)
        else:
            columns.add([name], np.where(values != 0, 0, -1).astype(np.int32), values)
    return columns.to_block(n_rows), dropped


def _named_values(
    measures: Mapping[str, npt.ArrayLike] | pd.DataFrame | None, n_rows: int
) -> Iterator[tuple[str, Floats]]:
    for name in measures if measures is not None else ():
        values = _finite(np.asarray(measures[name], dtype=np.float64), str(name))  # type: ignore[index]
        if values.shape != (n_rows,):
            raise ValueError(f"measure {name} has {values.size} values for {n_rows} episodes")
        yield str(name), values


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


def _spread(block: Block) -> Floats:
    full = np.zeros((block.n_rows, len(block.names)))
    row_of = np.repeat(np.arange(block.n_rows), np.diff(block.indptr))
    full[row_of, block.indices] = block.values
    return full
