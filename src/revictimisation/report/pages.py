"""The pages of the site: which sections stand on each, in order.

The notebook of a page calls the same sections, one a cell (`show`).
"""

from __future__ import annotations

from revictimisation.plan import StudyPlan
from revictimisation.report import known_truth
from revictimisation.report.described import Content, join
from revictimisation.report.outline import Outline, alone, if_joined, under
from revictimisation.report.page import Page
from revictimisation.report.sections import (
    cohort,
    course,
    court_numbers,
    courts,
    dictionary,
    effects,
    exploration,
    for_whom,
    group_numbers,
    honour,
    linkage,
    measure,
    method,
    misleading,
    models,
    reach,
    referees,
    strategies,
    trial_table,
    ways,
    words,
)
from revictimisation.report.sections import start as start_page

START, WORDS, DICTIONARY = "index", "words", "dictionary"
MEASURE_NOTEBOOK = "03_do_they_work"

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
    Outline("06_how_we_know", "effects", (
        under("effects.misleads", misleading.show_why, misleading.show_contrast,
              misleading.show_crude),
        under("trial.title", trial_table.show_trial),
        under("effects.caution", effects.show_caution),
        under("cohort.unseen", cohort.show_unseen),
    ), notebook="06_how_we_know"),
    Outline("07_for_researchers", "referees", (
        alone("referees.lead", "referees.intro", referees.show_overview),
        alone("cohort.lead", cohort.show_lead),
        under("cohort.who", cohort.show_definitions),
        under("cohort.flow", "cohort.flow_text", cohort.show_flow),
        under("cohort.end", cohort.show_end),
        under("cohort.people", cohort.show_people),
        under("cohort.attrition", cohort.show_attrition),
        under("effects.incidence", effects.show_incidence),
        under("effects.reference", effects.show_reference, level=3),
        under("effects.risk", effects.show_by_risk, level=3),
        alone("trials.ways", ways.show_ways),
        alone("trials.strategies", strategies.show_strategies),
        alone("models.in_force", models.show_in_force),
        under("referees.intervals", "referees.intervals_text", referees.show_intervals),
        under("referees.balance", "referees.balance_text", referees.show_balance),
        under("referees.weights", "referees.weights_text", referees.show_weights),
        under("referees.support", "referees.support_text", referees.show_support),
        under("referees.detectable", "referees.detectable_text", referees.show_detectable),
        alone("referees.controls", referees.show_controls),
        under("referees.checks", method.show_all_checks),
        under("referees.method", method.show_method),
        under("for_whom.researchers_groups", group_numbers.show_tests,
              group_numbers.show_own_and_pooled, group_numbers.show_contrasts,
              exploration.show_exploration_numbers),
        under("courts.researchers", court_numbers.show_decisions, court_numbers.show_paths),
    ), notebook="07_for_researchers"),
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
