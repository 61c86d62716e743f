"""How loops are compiled: once, into the package's folder, and as cheaply as may be.

Compiling costs the first study of an installation more than all else, and much of it goes to what
a loop does not need: a wrapper for C, branches for a division by 0 (which gives what NumPy gives),
the words of a fault of shapes wherever an array is assigned to an array (hence `copy_to`). A number
written out is a type of its own when it is handed to a compiled function: `np.int64(0)` in its
place spares compiling that function once more. All compiled functions are serial.
"""

from __future__ import annotations

from typing import Any

from numba import njit

# numba's types know only some of its options
_compile: Any = njit
kernel = _compile(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)


@kernel
def copy_to(target: Any, source: Any) -> None:
    """Fill a row of numbers with those of another of the same length."""
    for k in range(target.size):
        target[k] = source[k]
