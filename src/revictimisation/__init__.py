"""Which measures keep people from being victimised again: the study and its software.

The names below are the researcher's face (docs/python_api.md). Each is imported when it is first
asked for, so that `import revictimisation` itself loads nothing.
"""

__version__ = "0.1.0"

# where each public name is at home, in `revictimisation.api`
_HOMES = {
    "AalenJohansen": "curves",
    "CoxModel": "hazards",
    "FineGrayModel": "hazards",
    "KaplanMeier": "curves",
    "MeanCumulativeCount": "curves",
    "NotEstimableError": "faults",
    "PWPModel": "hazards",
    "SequentialTrials": "sequential_trials",
    "SpecificationCurve": "specifications",
    "Study": "study",
    "TargetTrial": "target_trial",
    "open_study": "study",
}
__all__ = [*_HOMES]

TYPE_CHECKING = False  # `typing` would have to be imported for it
if TYPE_CHECKING:
    from revictimisation.api.curves import AalenJohansen as AalenJohansen
    from revictimisation.api.curves import KaplanMeier as KaplanMeier
    from revictimisation.api.curves import MeanCumulativeCount as MeanCumulativeCount
    from revictimisation.api.faults import NotEstimableError as NotEstimableError
    from revictimisation.api.hazards import CoxModel as CoxModel
    from revictimisation.api.hazards import FineGrayModel as FineGrayModel
    from revictimisation.api.hazards import PWPModel as PWPModel
    from revictimisation.api.sequential_trials import SequentialTrials as SequentialTrials
    from revictimisation.api.specifications import SpecificationCurve as SpecificationCurve
    from revictimisation.api.study import Study as Study
    from revictimisation.api.study import open_study as open_study
    from revictimisation.api.target_trial import TargetTrial as TargetTrial
else:

    def __getattr__(name):
        """A public name, imported from its home (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.api.{_HOMES[name]}"), name)
        globals()[name] = found
        return found

    def __dir__():
        """What the module has, the names that are not imported yet among them."""
        return sorted({*globals(), *__all__})
