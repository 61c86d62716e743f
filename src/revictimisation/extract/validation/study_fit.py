"""Does the extract hold what the study file asks for: the days it names, and the codes."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from revictimisation.core.engine import Engine
from revictimisation.core.text import find_nearest
from revictimisation.dictionary import Dictionary, Text
from revictimisation.dictionary.model import Severity
from revictimisation.extract.sql import quote_name
from revictimisation.extract.validation.findings import Finding, make_finding
from revictimisation.extract.validation.reading import LoadedTable

if TYPE_CHECKING:
    from revictimisation.plan import StudyPlan
    from revictimisation.plan.parts import ValidationLimits

BEFORE, AFTER = "ends_before_data_end", "goes_on_after_data_end"
NOWHERE, NOBODY = "code_nowhere", "no_report_in_accrual"
DAYS_A_MONTH = 365.25 / 12
REPORTS = "reports"
CODE_FORM = "[a-z0-9_]{1,60}"


@dataclass(frozen=True)
class Misfit:
    """Where an extract does not hold what the study file asks for.

    `rule` is one of the dictionary's. `subject` is the table whose rows end `months` before
    `data_end_on`, or go on so long after it; or the code that is found nowhere.
    """

    rule: str
    subject: str
    months: int
    finding: Finding


def find_misfits(
    con: Engine, loaded: Mapping[str, LoadedTable], dictionary: Dictionary, plan: StudyPlan
) -> list[Misfit]:
    """Tables that end before `data_end_on` or go on after it, codes found nowhere, no reports.

    Only the last is an error: then nobody can enter.
    """
    return [
        *_find_data_ends(con, loaded, dictionary, plan),
        *_find_codes(con, loaded, dictionary, plan),
        *_find_nobody(con, loaded[REPORTS], dictionary, plan),
    ]


def _find_data_ends(
    con: Engine, loaded: Mapping[str, LoadedTable], dictionary: Dictionary, plan: StudyPlan
) -> Iterator[Misfit]:
    for name, one in loaded.items():
        dated_by = one.table.dated_by
        if dated_by not in one.present or one.table.field(dated_by).type != "date":
            continue
        day = quote_name(dated_by)
        found = con.run(f"SELECT DISTINCT {day} FROM {one.name} WHERE {day} IS NOT NULL ORDER BY 1")
        days = measure_data_end([row[0] for row in found], plan.data_end_on, plan.validation)
        if days:
            rule, months = BEFORE if days > 0 else AFTER, round(abs(days) / DAYS_A_MONTH)
            yield _make(dictionary, rule, "warning", name, name, count=months)


def measure_data_end(days: Sequence[dt.date], end_on: dt.date, limits: ValidationLimits) -> int:
    """How many days rows end before the end of the data; negative: go on after it; 0: neither.

    `days` are those with any row, ascending: rows of one day are no independent events. Before:
    the gap is longer than `data_end_days`, and improbable. In the span of the same length that the
    last row ends, k days had rows, in the span before that one j; the gap would then have
    m = k min(1, k / j) (rates that fall, as in a closed cohort, go on falling), and that it has at
    most s has the probability of a Poisson of mean m. After: longer than `data_goes_on_days`. Up to
    `stray_days` days with rows may be mistyped and are passed over; s is how many were.

    >>> from revictimisation.plan.parts import ValidationLimits
    >>> every_week = [dt.date(2012, 1, 1) + dt.timedelta(7 * week) for week in range(150)]
    >>> measure_data_end(every_week, dt.date(2018, 12, 31), ValidationLimits())
    1513
    """
    n_until, strays = bisect_right(days, end_on), range(limits.stray_days + 1)
    goes_on = len(days) - n_until > limits.stray_days
    beyond = (days[-1 - limits.stray_days] - end_on).days if goes_on else 0
    if beyond > limits.data_goes_on_days:
        return -beyond
    for n_strays in strays[:n_until]:
        last = days[n_until - 1 - n_strays]
        gap = end_on - last
        held = bisect_right(days, last) - bisect_right(days, last - gap)
        earlier = bisect_right(days, last - gap) - bisect_right(days, _subtract(last, 2 * gap))
        mean = held * min(1.0, held / earlier) if earlier else float(held)
        terms = [math.exp(-mean) * mean**n / math.factorial(n) for n in range(n_strays + 1)]
        if gap.days > limits.data_end_days and math.fsum(terms) <= limits.data_end_chance:
            return gap.days
    return 0


def _subtract(day: dt.date, span: dt.timedelta) -> dt.date:
    return day - span if (day - dt.date.min) > span else dt.date.min


def _find_codes(
    con: Engine, loaded: Mapping[str, LoadedTable], dictionary: Dictionary, plan: StudyPlan
) -> Iterator[Misfit]:
    """Codes that the study file names and neither the dictionary nor the extract has, each once."""
    named: dict[tuple[str, str], str] = {}
    from revictimisation.plan.keys import list_codes  # a plan is here, and so its packages are

    for where, list_name, code in list_codes(plan, dictionary):
        if code not in dictionary.lists[list_name].codes:
            named.setdefault((list_name, code), where)
    held = {name: _count_codes(con, loaded, name) for name in {name for name, _ in named}}
    for (list_name, code), where in named.items():
        if code in held[list_name]:
            continue
        hidden, known = dictionary.lists[list_name].hidden, dictionary.lists[list_name].codes
        shown = [one for one, n in sorted(held[list_name].items()) if one not in hidden
                 and (one in known or n >= plan.disclosure.threshold)]  # fmt: skip
        near = find_nearest(code, sorted({*known, *shown}))
        asked = Text(f" (menade du {near}?)", f" (did you mean {near}?)") if near else Text()
        listed = ", ".join(shown) or "–"
        told = Text(f"{code}{asked.sv}. Uttaget har: {listed}.",
                    f"{code}{asked.en}. The extract has: {listed}.")  # fmt: skip
        yield _make(dictionary, NOWHERE, "warning", code, "", other=where, periods=told)


def _count_codes(con: Engine, loaded: Mapping[str, LoadedTable], list_name: str) -> dict[str, int]:
    """How many rows of the extract have each code of a list, where it has the form of a code."""
    counts: dict[str, int] = {}
    for one in loaded.values():
        for column in one.table.fields:
            if column.codes != list_name or column.name not in one.present:
                continue
            cell = quote_name(column.name)
            is_code = f"regexp_full_match({cell}, '{CODE_FORM}')"
            asked = f"SELECT {cell}, count(*) FROM {one.name} WHERE {is_code} GROUP BY 1"
            for code, n_rows in con.run(asked):
                counts[code] = counts.get(code, 0) + int(n_rows)
    return counts


def _find_nobody(
    con: Engine, reports: LoadedTable, dictionary: Dictionary, plan: StudyPlan
) -> Iterator[Misfit]:
    if "reported_on" not in reports.present or not reports.n_rows:
        return
    first, last = plan.accrual.from_on, min(plan.accrual.to_on, plan.data_end_on)
    within = f"reported_on BETWEEN DATE '{first}' AND DATE '{last}'"
    if not con.run(f"SELECT EXISTS (SELECT 1 FROM {reports.name} WHERE {within})")[0][0]:
        yield _make(dictionary, NOBODY, "error", REPORTS, REPORTS)


def _make(
    dictionary: Dictionary, rule: str, severity: Severity, subject: str, table: str, **more: Any
) -> Misfit:
    finding = make_finding(dictionary, rule, severity, table, **more)
    return Misfit(rule, subject, int(more.get("count", 0)), finding)
