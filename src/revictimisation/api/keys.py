"""Keys of a study file as they are given in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revictimisation.core.errors import StudyError
from revictimisation.plan import StudyPlan, make_plan


def plan_of(keys: Mapping[str, Any]) -> StudyPlan:
    """The plan of these keys; `ValueError` with every fault of them at once.

    >>> plan_of({"name": "mini", "gates": {"events_per_arm": 5}}).gates.events_per_arm
    5.0
    """
    try:
        return make_plan(keys)
    except StudyError as fault:
        raise ValueError(str(fault)) from None
