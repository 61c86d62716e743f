"""Page 07: what is taken to drive what, for questions 2 and 4, as the study file has it."""

from __future__ import annotations

from revictimisation.report.described import CausalGraph, Piece, join
from revictimisation.report.page import Page
from revictimisation.report.sections.answer import describe_against
from revictimisation.report.sections.protocol import list_covariates

QUESTIONS = ("q2", "q4")


def show_graphs(page: Page) -> Piece:
    """The directed graphs of both questions, and what they leave out."""
    return join([page.text("referees.graphs_text"), *(_show_graph(page, q) for q in QUESTIONS)])


def _show_graph(page: Page, question: str) -> Piece:
    covariates = [page.labels.group(name).lower() for name in page.plan.adjust_for]
    if question == "q2":
        covariates.append(page.say("referees.graph_others"))
    against = describe_against(page)
    given = {"against": against, "covariates": list_covariates(page)}
    outcome = page.say(f"referees.graph_outcome_{question}", **given)
    between = page.say("referees.graph_between") if question == "q4" else ""
    unmeasured = page.say(f"referees.graph_unmeasured_{question}")
    picture = CausalGraph(page.say("referees.graph_measure"), outcome, covariates, unmeasured,
                          between)  # fmt: skip
    alt, caption = (page.say(f"referees.graph_{one}_{question}", **given)
                    for one in ("alt", "caption"))  # fmt: skip
    arrows = [(name, target) for name in covariates
              for target in (picture.measure, outcome)]  # fmt: skip
    arrows += [(unmeasured, picture.measure), (unmeasured, outcome)]
    arrows += [(picture.measure, between), (between, outcome)] if between else []
    rows = [[start, stop] for start, stop in [*arrows, (picture.measure, outcome)]]
    heads = [page.say("referees.graph_from"), page.say("referees.graph_to")]
    table = page.table(page.say("referees.graph_table", title=caption), heads, rows, kind="words")
    return page.figure(picture, alt, caption, table)
