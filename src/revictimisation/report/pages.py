"""The pages of the site: which sections stand on each, in order.

The notebook of a page calls the same sections, one a cell (`show`).
"""

from __future__ import annotations

from dataclasses import replace

from revictimisation.plan import StudyPlan
from revictimisation.report import known_truth
from revictimisation.report.described import Content, join
from revictimisation.report.outline import Outline, alone, if_joined, under
from revictimisation.report.page import Page
from revictimisation.report.sections import (
    baseline,
    citing,
    cohort,
    course,
    court_numbers,
    courts,
    dictionary,
    effects,
    estimators,
    exploration,
    for_whom,
    graphs,
    group_numbers,
    honour,
    how_we_know,
    linkage,
    lists,
    measure,
    method,
    models,
    overlap,
    protocol,
    reach,
    referees,
    strategies,
    timing,
    tipping,
    words,
)
from revictimisation.report.sections import start as start_page

REFEREES_ROWS = 7  # of a table on the page that has the most of them
START, WORDS, DICTIONARY = "index", "words", "dictionary"
MEASURE_NOTEBOOK = "03_do_they_work"


def keep_short(page: Page) -> Page:
    """The page with short tables; what they leave out is in the files."""
    return replace(page, most_rows=REFEREES_ROWS)


OUTLINES = (
    Outline(START, "index", (
        alone("index.lead", start_page.show_lead),
        under("index.measures", start_page.show_measures),
        under("index.questions", start_page.show_questions, start_page.show_more),
    ), notebook=MEASURE_NOTEBOOK, in_menu=True, has_contents=False),
    Outline("01_does_it_fall", "course", (
        alone("course.lead", course.show_lead),
        under("course.quarters", course.show_quarters),
        under("course.years", course.show_years),
        alone("course.honour", course.show_honour),
        alone("course.districts", course.show_districts),
        under("course.unseen", "course.unseen_text"),
    ), notebook="01_does_it_fall", in_menu=True, has_contents=False),
    Outline("02_reach", "reach", (
        alone("reach.lead", reach.show_lead),
        under("reach.who", reach.show_who),
        under("reach.way", reach.show_way),
        under("reach.soon", reach.show_soon),
        under("reach.shared", reach.show_shared),
        under("reach.together", reach.show_together),
        alone("reach.codes", reach.show_codes),
    ), notebook="02_reach", in_menu=True, has_contents=False),
    Outline("04_for_whom", "for_whom", (
        alone("for_whom.lead", for_whom.show_lead),
        alone("for_whom.claims", for_whom.show_claims),
        under("for_whom.measures", for_whom.show_measures),
        alone("for_whom.exploration", for_whom.show_exploration),
        under("for_whom.limits", for_whom.show_limits),
    ), notebook="04_for_whom", in_menu=True, has_contents=False),
    Outline("05_convictions", "courts", (
        alone("courts.lead", courts.show_lead),
        under("courts.ladder", courts.show_ladder),
        under("courts.states", courts.show_states),
        under("courts.denominators", courts.show_denominators),
        under("courts.association", courts.show_association),
        under("courts.limits", "courts.limits_text"),
    ), notebook="05_convictions", in_menu=True, has_contents=False),
    Outline("06_how_we_know", "how_we_know", (
        alone("how_we_know.lead", how_we_know.show_lead),
        under("how_we_know.simple", how_we_know.show_simple),
        under("how_we_know.wanted", how_we_know.show_wanted),
        alone("how_we_know.sources", how_we_know.show_sources),
        under("how_we_know.limits", how_we_know.show_limits),
        alone("how_we_know.reading", how_we_know.show_reading),
    ), notebook="06_how_we_know"),
    Outline("07_for_researchers", "referees", prepare=keep_short, notebook="07_for_researchers",
            sections=(
        alone("referees.lead", "referees.intro", referees.show_overview),
        under("trial.title", protocol.show_estimand, protocol.show_protocol,
              protocol.show_measures, protocol.show_record),
        under("referees.graphs", graphs.show_graphs),
        under("cohort.flow", "cohort.flow_text", cohort.show_flow, cohort.show_measure_flow,
              cohort.show_attrition),
        under("referees.at_risk", "referees.at_risk_text", cohort.show_at_risk),
        under("referees.baseline", "referees.baseline_text", baseline.show_table_one),
        under("referees.missing", baseline.show_missing),
        under("referees.balance", baseline.show_balance),
        under("referees.weights", referees.show_weights),
        under("referees.support", referees.show_support, overlap.show_overlap),
        under("referees.estimates", estimators.show_ways, estimators.show_estimates,
              estimators.show_crude),
        under("referees.detectable", "referees.detectable_text", referees.show_detectable),
        under("referees.checks", "referees.checks_text", method.show_grid, method.show_all_checks),
        under("referees.sensitivity", "referees.sensitivity_text", tipping.show_tipping,
              referees.show_controls, models.show_in_force, strategies.show_strategies),
        under("referees.when", timing.show_when_numbers),
        under("effects.incidence", effects.show_incidence),
        under("effects.reference", effects.show_reference, level=3),
        under("effects.risk", effects.show_by_risk, level=3),
        under("for_whom.researchers_groups", group_numbers.show_tests,
              group_numbers.show_own_and_pooled, group_numbers.show_contrasts,
              exploration.show_exploration_numbers),
        under("courts.researchers", court_numbers.show_decisions, court_numbers.show_paths),
        under("cohort.unseen", cohort.show_unseen),
        under("referees.lists", lists.show_lists),
        under("referees.method", method.show_method),
        under("referees.citing", citing.show_works, citing.show_citing),
    )),
    Outline("09_linkage", "linkage", (
        alone("linkage.lead", linkage.show_lead),
        alone("linkage.found", linkage.show_found),
        alone("linkage.errors", linkage.show_errors),
        alone("linkage.moves", linkage.show_moves),
        alone("linkage.who", linkage.show_who),
        alone("linkage.method", linkage.show_method),
    ), notebook="09_linkage", is_made=if_joined),
    Outline("honour", "honour", (
        alone("honour.lead", honour.show_lead),
        under("honour.again", honour.show_again),
        under("honour.several", honour.show_several),
        under("honour.measures", honour.show_measures),
        under("honour.course", honour.show_course),
        under("honour.cannot", "honour.cannot_text"),
    ), is_made=honour.if_about_honour, has_contents=False),
    Outline(WORDS, "word_list", (alone("words.all", words.show_words),), has_contents=False),
    Outline(DICTIONARY, "dictionary", (
        alone("dictionary.all", dictionary.show_dictionary),
    ), has_contents=False),
)  # fmt: skip

# one page a measure of the study
MEASURE = Outline("measure", "measure", (
    alone("measure.state", measure.show_state),
    alone("measure.what", measure.show_what),
    alone("measure.who", measure.show_who),
    alone("measure.effect", measure.show_effect),
    alone("measure.sure", measure.show_sure),
    alone("measure.for_whom", measure.show_for_whom),
    alone("measure.when", timing.show_when),
    alone("measure.lasting", timing.show_lasting),
    alone("measure.change", measure.show_change),
    alone("measure.unsaid", measure.show_unsaid),
), notebook=MEASURE_NOTEBOOK, of_measure=True, has_contents=False)  # fmt: skip


def list_outlines() -> tuple[Outline, ...]:
    """Every page in outline, in the order of the menu; that of a measure once, without one."""
    start, *others = OUTLINES
    ordered = sorted([*others, *known_truth.list_outlines()], key=lambda outline: outline.name)
    return (start, MEASURE, *ordered)


def list_pages(plan: StudyPlan, *, is_joined: bool) -> list[Outline]:
    """The pages of a study's site, in the order of the menu; one for each of its measures."""
    found = []
    for outline in list_outlines():
        if outline.of_measure:
            found += [outline.about(name) for name in plan.measure_names]
        elif outline.is_made(plan, is_joined):
            found.append(outline)
    return found


def list_notebooks(plan: StudyPlan, *, is_joined: bool) -> list[str]:
    """The notebooks that show a page of the study, each once."""
    pages = list_pages(plan, is_joined=is_joined)
    return sorted({outline.notebook for outline in pages if outline.notebook})


def start(page: Page, part: str) -> Content:
    """The title of a notebook, with all that makes it look in JupyterLab as on its page."""
    (outline,) = (one for one in list_outlines() if one.part == part)
    return join([page.style(), outline.entitle(page)])


def show(page: Page, name: str) -> Content:
    """A section of a page, by its name; `KeyError` for one that no page has."""
    for outline in list_outlines():
        for section in outline.sections:
            if section.name == name:
                return section.describe(outline.prepare(page))
    raise KeyError(name)
