"""How loops are compiled: once, into the package's folder, and as cheaply as may be.

Compiling costs the first study of an installation more than all else, and much of it goes to what
a loop does not need: a wrapper for C, branches for a division by 0 (which gives what NumPy gives),
the words of a fault of shapes wherever an array is assigned to an array (hence `copy_to`). A number
written out is a type of its own when it is handed to a compiled function: `np.int64(0)` in its
place spares compiling that function once more. All compiled functions are serial. What was kept and
is damaged is compiled anew.
"""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import IndexDataCacheFile

from revictimisation.core import files

SEAL_BYTES = hashlib.sha256().digest_size
_kept: Any = IndexDataCacheFile  # numba's own, which trusts what it finds
_dump, _load_data, _load_index = _kept._dump, _kept._load_data, _kept._load_index


def _seal(self: Any, content: object) -> bytes:
    """What is kept ends with the hash of the rest, which who reads a pickle does not look at."""
    data: bytes = _dump(self, content)
    return data + hashlib.sha256(data).digest()


def _read_data(self: Any, name: str) -> Any:
    """A compiled loop as it was kept; one that is damaged is as if it were not there."""
    kept = files.read_bytes(Path(self._data_path(name)))
    if hashlib.sha256(kept[:-SEAL_BYTES]).digest() != kept[-SEAL_BYTES:]:
        raise FileNotFoundError
    return _load_data(self, name)


def _read_index(self: Any) -> Any:
    """What is kept of a module's loops: nothing, where that can't be told."""
    try:
        return _load_index(self)
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, ImportError):
        return {}


_kept._dump, _kept._load_data, _kept._load_index = _seal, _read_data, _read_index

# numba's types know only some of its options
_compile: Any = njit
kernel = _compile(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)


@kernel
def copy_to(target: Any, source: Any) -> None:
    """Fill a row of numbers with those of another of the same length."""
    for k in range(target.size):
        target[k] = source[k]
