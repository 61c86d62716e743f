"""A synthetic county: what two agencies' registers would hold, and the truth behind them."""

from __future__ import annotations

from types import MappingProxyType

import pandas as pd

from revictimisation.dictionary import Dictionary, load_dictionary
from revictimisation.simulate.assessment_tables import make_risk_assessments
from revictimisation.simulate.bystanders import draw_bystanders
from revictimisation.simulate.calibrated import CALIBRATED, find_court
from revictimisation.simulate.context_tables import make_centre_contacts, make_municipality_years
from revictimisation.simulate.course import Course, run_course
from revictimisation.simulate.departures import POSITIVITY, REPORTING, UNMEASURED
from revictimisation.simulate.dirty import soil_county
from revictimisation.simulate.filings import collect_filings
from revictimisation.simulate.geography import SIZES
from revictimisation.simulate.justice_tables import (
    describe_victims,
    draw_cases,
    make_case_decisions,
    make_investigations,
    make_suspect_interventions,
)
from revictimisation.simulate.measure_tables import (
    collect_measures,
    make_police_measures,
    make_social_interventions,
)
from revictimisation.simulate.plain_tables import draw_plain_table
from revictimisation.simulate.report_tables import (
    date_bystanders,
    date_filings,
    make_persons,
    make_reports,
)
from revictimisation.simulate.scenarios import Scenario, remove_effects, resize
from revictimisation.simulate.truth import read_truth

DIRTY = "dirty"  # what happens is as in ``calibrated``, what is written down is not
SCENARIOS: MappingProxyType[str, Scenario] = MappingProxyType(
    {
        "calibrated": CALIBRATED,
        "null": remove_effects(CALIBRATED, "null"),
        "small": resize(CALIBRATED, "small", 216),
        "unmeasured": UNMEASURED,
        "reporting": REPORTING,
        "positivity": POSITIVITY,
        DIRTY: resize(CALIBRATED, DIRTY, 3000),
    }
)
DEFAULT_PEOPLE: MappingProxyType[str, int] = MappingProxyType(
    {name: scenario.default_people for name, scenario in SCENARIOS.items()}
)


def find_scenario(name: str) -> Scenario:
    """Look a scenario up by name; raises ``ValueError`` that names those there are."""
    if name not in SCENARIOS:
        raise ValueError(f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def simulate_county(scenario: str, n_people: int, seed: int) -> dict[str, pd.DataFrame]:
    """Simulate a county: every table of the study extract, and ``truth``.

    ``n_people`` is the number of index victims under the default study. The same seed gives the
    same county on every machine; a county of more people holds the smaller one's victims.
    ``truth`` is a property of the scenario and the same for every county of it: columns measure,
    subgroup, level, estimand, time_days, value (see ``truth``). ``dirty`` has ``truth_links``,
    ``truth_faults`` and the agencies' raw files as well, named by path (see ``soil_county``).
    Raises ``ValueError`` for an unknown scenario or fewer than one person.

    >>> tables = simulate_county("small", 20, seed=1)
    >>> sorted(tables)[:4]
    ['case_decisions', 'centre_contacts', 'investigations', 'municipality_years']
    """
    if n_people < 1:
        raise ValueError("a county needs at least one person")
    course = run_course(find_scenario(scenario), n_people, seed)
    tables = make_tables(course)
    if scenario == DIRTY:
        tables = soil_county(course, tables)
    return {**tables, "truth": read_truth(course.scenario)}


def make_tables(course: Course, dictionary: Dictionary | None = None) -> dict[str, pd.DataFrame]:
    """Write down a course as the tables of a dictionary (the project's), by name."""
    scenario, seed = course.scenario, course.seed
    n_people = len(course.setting.victims)
    bystanders = draw_bystanders(scenario, n_people, seed, course.first_unit)
    filings = collect_filings(course)
    dated = date_filings(course, filings)
    apart = date_bystanders(bystanders, seed)
    rows = pd.concat([dated, apart], ignore_index=True)
    measures = collect_measures(course)
    cases = draw_cases(describe_victims(course, rows), course, find_court(scenario),
                       scenario.data_end_on)  # fmt: skip
    decisions = make_case_decisions(cases, seed)
    made = {
        "persons": make_persons(course, rows, bystanders),
        "reports": make_reports(rows, seed),
        "risk_assessments": make_risk_assessments(course, filings),
        "police_measures": make_police_measures(course, measures),
        "social_interventions": make_social_interventions(course, measures),
        "suspect_interventions": make_suspect_interventions(
            cases, decisions, seed, scenario.data_end_on
        ),
        "investigations": make_investigations(cases, seed),
        "case_decisions": decisions,
        "centre_contacts": make_centre_contacts(course),
        "municipality_years": make_municipality_years(course, SIZES),
    }
    dictionary = dictionary or load_dictionary()
    others = [one for one in dictionary.tables_by_direction("in") if one.name not in made]
    return made | {one.name: draw_plain_table(dictionary, one, course) for one in others}
