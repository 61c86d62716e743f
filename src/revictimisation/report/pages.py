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
    answer,
    cohort,
    course,
    court_association,
    courts,
    dictionary,
    durations,
    effects,
    exploration,
    for_whom,
    group_tables,
    groups,
    honour,
    linkage,
    measures,
    method,
    misleading,
    models,
    referees,
    strategies,
    summary,
    trial_table,
    use,
    ways,
    who_gets,
    words,
)

START, WORDS, DICTIONARY = "index", "words", "dictionary"
MEASURE_NOTEBOOK = "03_do_they_work"

OUTLINES = (
    Outline(START, "index", (
        alone("index.lead", summary.show_lead),
        under("index.findings", summary.show_findings),
        under("index.picture", summary.ask, answer.show_picture, answer.show_caution),
        under("index.cards", summary.show_cards),
        under("index.unknown", "index.unknown_text"),
        under("index.made", summary.show_made),
    ), notebook=MEASURE_NOTEBOOK, in_menu=True, has_contents=False),
    Outline("01_does_it_fall", "course", (
        alone("course.lead", course.show_lead),
        under("course.quarters", course.show_quarters),
        under("course.years", course.show_years),
        alone("course.honour", course.show_honour),
        alone("course.districts", course.show_districts),
        under("course.unseen", "course.unseen_text"),
    ), notebook="01_does_it_fall", in_menu=True, has_contents=False),
    Outline("02_reach", "use", (
        alone("use.lead", use.show_lead),
        under("use.codes", "use.codes_text", use.show_codes),
        under("use.decisions", "use.decisions_text", use.show_decisions),
        under("use.agencies", use.show_agencies),
        under("use.risk", groups.show_risk),
        under("use.high", groups.show_high_risk),
        under("use.first", "use.first_text", groups.show_first_start, groups.show_first_by_measure),
        under("use.combined", "use.combined_text", use.show_combinations, use.show_orders),
        under("use.duration", durations.show_durations),
        under("use.sharing", groups.show_sharing),
        under("use.groups", "use.groups_text", groups.show_groups),
    ), notebook="02_reach", in_menu=True),
    Outline("04_for_whom", "for_whom", (
        alone("for_whom.lead", for_whom.show_lead),
        alone("for_whom.clearest", for_whom.show_clearest),
        under("for_whom.measures", for_whom.show_measures),
        under("for_whom.shares", "for_whom.shares_text", who_gets.show_claims,
              who_gets.show_all_shares),
        under("for_whom.detectable", for_whom.show_detectable),
        alone("for_whom.exploration", exploration.show_exploration),
        under("for_whom.referees", group_tables.show_tests, group_tables.show_scales),
    ), notebook="04_for_whom", in_menu=True),
    Outline("05_convictions", "courts", (
        alone("courts.lead", courts.show_lead),
        under("courts.ladder", "courts.ladder_text", courts.show_ladder),
        under("courts.reasons", courts.show_reasons),
        under("courts.denominators", "courts.denominators_text", courts.show_denominators),
        under("courts.time", courts.show_steps, courts.show_decision_time),
        under("courts.association", "courts.association_text",
              court_association.show_association),
        under("courts.explain", court_association.show_explanations),
    ), notebook="05_convictions", in_menu=True),
    Outline("06_how_we_know", "effects", (
        alone("effects.lead", answer.show_lead),
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
    alone("measure.answer", lambda page: measures.show_measure(page, page.measure)),
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
