"""The page on known truth: what the kept tables say, section by section."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from revictimisation.report.described import Piece
from revictimisation.report.outline import Outline, alone
from revictimisation.report.page import Page
from truth_studies.pages import add_texts, limits, pictures, tables
from truth_studies.records.controls import read_alarms
from truth_studies.records.truth import TruthStudy, read_truth_study

read_kept = cache(read_truth_study)


def _of_kept(show: Callable[[Page, TruthStudy], Piece]) -> Callable[[Page], Piece]:
    return lambda page: show(page, read_kept())


OUTLINE = Outline("08_validation", "truth_study", (
    alone("truth_study.limits", lambda page: limits.show_limits(page, read_kept(), read_alarms())),
    alone("truth_study.bias", _of_kept(pictures.show_bias)),
    alone("truth_study.coverage", _of_kept(pictures.show_coverage)),
    alone("truth_study.tables", _of_kept(tables.show_table)),
    alone("truth_study.files", tables.show_files),
    alone("truth_study.provenance", _of_kept(tables.show_provenance)),
), prepare=add_texts, notebook="08_validation")  # fmt: skip
