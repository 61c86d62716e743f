"""What arrays hold: a name for each kind, the same everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]
# whole numbers that are levels (from 0), days, or how many
Codes = npt.NDArray[np.int64]
Days = npt.NDArray[np.int64]
