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
    baseline,
    citing,
    cohort,
    court_association,
    courts,
    dictionary,
    durations,
    effects,
    estimators,
    exploration,
    for_whom,
    graphs,
    group_tables,
    groups,
    how_we_know,
    linkage,
    lists,
    measures,
    method,
    models,
    protocol,
    referees,
    strategies,
    summary,
    use,
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
    Outline("06_how_we_know", "how_we_know", (
        alone("how_we_know.lead", how_we_know.show_lead),
        under("how_we_know.simple", how_we_know.show_simple),
        under("how_we_know.wanted", how_we_know.show_wanted),
        under("how_we_know.limits", how_we_know.show_limits),
        alone("how_we_know.reading", how_we_know.show_reading),
    ), notebook="06_how_we_know"),
    Outline("07_for_researchers", "referees", (
        alone("referees.lead", "referees.intro", referees.show_overview),
        under("trial.title", protocol.show_estimand, protocol.show_protocol,
              protocol.show_measures, protocol.show_record),
        under("referees.graphs", graphs.show_graphs),
        under("cohort.flow", "cohort.flow_text", cohort.show_flow, cohort.show_measure_flow,
              cohort.show_attrition),
        under("referees.at_risk", "referees.at_risk_text", cohort.show_at_risk),
        under("referees.baseline", "referees.baseline_text", baseline.show_table_one),
        under("referees.balance", baseline.show_balance),
        under("referees.weights", referees.show_weights),
        under("referees.support", referees.show_support),
        under("referees.estimates", estimators.show_ways, estimators.show_estimates,
              estimators.show_crude),
        under("referees.detectable", "referees.detectable_text", referees.show_detectable),
        under("referees.checks", "referees.checks_text", method.show_grid, method.show_all_checks),
        under("referees.sensitivity", "referees.sensitivity_text", referees.show_controls,
              models.show_in_force, strategies.show_strategies),
        under("effects.incidence", effects.show_incidence),
        under("effects.reference", effects.show_reference, level=3),
        under("effects.risk", effects.show_by_risk, level=3),
        under("cohort.unseen", cohort.show_unseen),
        under("referees.lists", lists.show_lists),
        under("referees.method", method.show_method),
        under("referees.citing", citing.show_works, citing.show_citing),
    ), notebook="07_for_researchers"),
    Outline("09_linkage", "linkage", (
        alone("linkage.lead", linkage.show_lead),
        alone("linkage.found", linkage.show_found),
        alone("linkage.errors", linkage.show_errors),
        alone("linkage.moves", linkage.show_moves),
        alone("linkage.who", linkage.show_who),
        alone("linkage.method", linkage.show_method),
    ), notebook="09_linkage", is_made=if_joined),
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
