"""What measures, groups and levels are called, from the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from revictimisation.core.codes import MISSING, OTHER
from revictimisation.core.packing import COVARIATE, TRIAL_START, unpack_contrast, unpack_day
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan

PARENTHESIS = re.compile(r"\s*\([^()]*\)")
SUBGROUP = "subgroup"
DAY = "day"  # of a landmark, among the starts of trials
LAST = (OTHER, "unknown", MISSING)


@dataclass(frozen=True)
class Labels:
    """Labels in one language; a code that the dictionary does not know is its own label."""

    dictionary: Dictionary
    plan: StudyPlan
    language: str

    @cached_property
    def _known(self) -> dict[tuple[str, str], str]:
        """Labels found so far: a page asks for the same ones many times."""
        return {}

    def code(self, list_name: str, code: str) -> str:
        """A code of a code list, by the row that held on the last day of the accrual."""
        key = (list_name, code)
        if key not in self._known:
            self._known[key] = self._find(list_name, code)
        return self._known[key]

    def _find(self, list_name: str, code: str) -> str:
        frame = self.dictionary.code_lists.get(list_name)
        if frame is not None and "valid_to_on" in frame and "code" in frame:
            on = self.plan.accrual.to_on.isoformat()
            rows = frame[frame["code"] == code]
            is_valid = (rows["valid_from_on"] <= on) & (
                (rows["valid_to_on"] == "") | (rows["valid_to_on"] >= on)
            )
            if is_valid.any():
                return str(rows.loc[is_valid, f"label_{self.language}"].iloc[-1])
        return self.dictionary.label(list_name, code, self.language)

    def measure(self, name: str) -> str:
        """A measure or a measure's code, without what stands in brackets."""
        label = self.code("measures", name)
        return name.replace("_", " ") if label == name else PARENTHESIS.sub("", label)

    def group(self, name: str) -> str:
        """A grouping such as `risk_level`, or what the levels of an analysis are levels of."""
        if name in self.dictionary.tables["covariates"].field_names:
            return self.dictionary.tables["covariates"].field(name).label[self.language]
        if name in self.plan.for_whom.combined:
            title = self.plan.for_whom.combined[name].title
            return (title.sv if self.language == "sv" else title.en) or name.replace("_", " ")
        return self.code(SUBGROUP, name).removeprefix("x_").replace("_", " ")

    def level(self, group: str, level: str) -> str:
        """A level of a grouping, a covariate by itself, a landmark's day, or two's difference."""
        if group == COVARIATE:
            return self.group(level)
        if (day := unpack_day(level)) is not None:
            return f"{self.code(TRIAL_START, DAY)} {day}"
        codes = self._codes(group) or "common"
        label = self.code(codes, level)
        if label == level and (pair := unpack_contrast(level)):
            return " − ".join(self.level(group, one) for one in pair)
        return PARENTHESIS.sub("", label) if group == "police_district" else label

    def _codes(self, group: str) -> str | None:
        """The code list of a grouping's levels: a covariate's, or the list of its name."""
        if group in self.plan.for_whom.combined:
            return "yes_no"
        covariates = self.dictionary.tables["covariates"]
        if group in covariates.field_names:
            return covariates.field(group).codes
        return group if group in self.dictionary.code_lists else None

    def sort_levels(self, group: str, levels: Iterable[str]) -> list[str]:
        """Levels in the order of their code list, what is not known last."""
        codes = self._codes(group)
        frame = self.dictionary.code_lists.get(codes or "")
        known = list(frame["code"]) if frame is not None and "code" in frame else []

        def place(level: str) -> tuple[int, int, str]:
            is_last = LAST.index(level) + 1 if level in LAST else 0
            return is_last, known.index(level) if level in known else len(known), level

        return sorted(levels, key=place)
