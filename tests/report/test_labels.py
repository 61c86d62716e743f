"""Every code that results and diagnostics may hold has a name in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pandas as pd

from revictimisation.core import results
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import read_plan
from revictimisation.report.labels import Labels
from revictimisation.report.release import Release
from revictimisation.report.sections.method import show_all_checks
from revictimisation.report.texts import load_texts
from tests.project.sources import ROOT, list_modules

from .conftest import Study, make_page

DICTIONARY = load_dictionary()
LISTS = DICTIONARY.code_lists
CODED = ("analysis", "estimator", "estimand", "outcome")
# arguments that are a reason, by the name of the function
REASONED = {"not_estimable": 0, "NotEstimableError": 0, "mark_not_estimable": 2}
# reasons of what is suppressed: told by its status; of what the gates withhold: on page 3
SUPPRESSED = {"small_number", "complement", "kept_back"}


def list_constants() -> Iterator[tuple[str, str]]:
    """Every constant that the stages put under a coded column's name, and every reason."""
    for module in list_modules():
        if module.part in ("report", "dictionary", "mapping", "validation", "simulate"):
            continue
        for node in ast.walk(module.tree):
            pairs: list[tuple[str | None, ast.expr | None]] = []
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                pairs += [(one.arg, one.value) for one in node.keywords]
                if name in REASONED and len(node.args) > REASONED[name]:
                    pairs.append(("reason", node.args[REASONED[name]]))
                is_row = name == "_row" and "target_trial" in module.name
                if (name == "Gate" or is_row) and node.args:
                    pairs.append(("check", node.args[0]))
            elif isinstance(node, ast.Dict):
                keys = [getattr(key, "value", None) for key in node.keys]
                pairs += list(zip(keys, node.values, strict=True))
            for key, value in pairs:
                value = getattr(value, "value", None)
                if key in (*CODED, "check", "reason") and isinstance(value, str) and value:
                    if " " in value:  # an error's sentence, no code
                        continue
                    is_compared = key == "check" and module.part in ("comparison", "pooling")
                    yield "comparison_check" if is_compared else str(key), value.split(":")[0]


def find_unnamed(column: str, codes: set[str]) -> set[str]:
    """Codes without a label; of reasons, without a sentence."""
    if column == "reason":
        texts = load_texts()
        said = ("answers.short", "comparison.why")
        named = {code for code in codes for key in said if f"{key}_{code}" in texts}
        return codes - named - SUPPRESSED
    return codes - {""} - set(LISTS[column]["code"])


def test_every_code_in_the_sources_has_a_label():
    found: dict[str, set[str]] = {}
    for column, code in list_constants():
        found.setdefault(column, set()).add(code)
    statuses = {results.OK, results.SUPPRESSED, results.WITHHELD, results.NOT_ESTIMABLE}
    named = {
        code for name, code in vars(results).items() if name.isupper() and isinstance(code, str)
    }
    found["reason"] |= named - statuses
    assert set(found) == {*CODED, "check", "comparison_check", "reason"}
    assert all(len(codes) > 1 for codes in found.values())
    assert {column: find_unnamed(column, codes) for column, codes in found.items()} == {
        column: set() for column in found
    }


def read_left(run: Study, table: str) -> pd.DataFrame:
    """A table of a run made now, and of the kept county, which has all measures and subgroups."""
    kept = ROOT / "tests" / "yardstick" / "county_3000"
    sides = ("restricted", "release")
    paths = [run.out / side / f"{table}.parquet" for side in sides]
    paths += [kept / f"{side}_{table}.parquet" for side in sides]
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def test_every_code_that_a_study_left_has_a_label(finished_run):
    estimates, diagnostics = (
        read_left(finished_run, name) for name in ("estimates", "diagnostics")
    )
    for column in (*CODED, "reason"):
        assert find_unnamed(column, {*estimates[column].fillna("")} - {""}) == set(), column
    assert find_unnamed("check", set(diagnostics["check"].str.split(":").str[0])) == set()
    names = diagnostics["analysis"].str.replace("_(main|unadjusted)$", "", regex=True)
    known = {*LISTS["analysis"]["code"], *LISTS["estimator"]["code"]}
    assert {*diagnostics["analysis"]} - known <= {
        f"{name}_{kind}" for name in known for kind in ("main", "unadjusted")
    }, set(names) - known


def test_every_level_of_a_covariate_has_a_label(finished_run):
    estimates = read_left(finished_run, "estimates")
    fields = DICTIONARY.tables["covariates"].fields
    lists = {one.name: one.codes for one in fields if one.type == "string" and one.codes}
    assert len(lists) >= 10
    for group, codes in lists.items():
        levels = estimates.loc[estimates["subgroup"] == group, "level"].str.split("_less_")
        known = {"", *LISTS[codes]["code"], *LISTS["common"]["code"]}
        assert {level for pair in levels for level in pair} <= known, group


def test_labels_are_words_in_both_languages():
    for name in ("analysis", "check", "estimator", "estimand", "outcome"):
        for label in ("label_sv", "label_en"):
            assert not LISTS[name][label].str.contains("_").any(), name
            assert LISTS[name][label].str.len().gt(2).all(), name


def test_the_table_of_all_checks_is_in_the_language_of_the_page():
    parts = [
        "",
        ":start:is_honour=false",
        ":no_start:365",
        ":365:age_group=18-26_less_27-44",
        ":risk_level",
        ":both",
        ":one_less_none:365",
        ":reports:drop_end_before_start",
    ]
    analyses = [*LISTS["analysis"]["code"], *LISTS["estimator"]["code"],
                *(f"{code}_{kind}" for code in LISTS["estimator"]["code"]
                  for kind in ("main", "unadjusted"))]  # fmt: skip
    rows = [(analysis, "is_converged") for analysis in analyses]
    rows += [("main", check + part) for check in LISTS["check"]["code"] for part in parts]
    frame = pd.DataFrame(rows, columns=["analysis", "check"])
    frame = frame.assign(measure="", value=1.0, limit=None, status="ok")
    for language, other in (("sv", "en"), ("en", "sv")):
        page = make_page(language)
        kept = {**page.release.__dict__, "diagnostics": frame}
        names = Release.__dataclass_fields__
        release = Release(**{name: kept[name] for name in names})
        page = type(page)(release, DICTIONARY, language)
        text = re.sub(r"<[^>]+>", "|", show_all_checks(page).html).lower()
        assert "_" not in text
        for name in ("analysis", "check", "estimator"):
            frame_of = LISTS[name]
            foreign = frame_of.loc[
                frame_of["label_sv"] != frame_of["label_en"], f"label_{other}"
            ].str.lower()
            own = set(frame_of[f"label_{language}"].str.lower())
            assert not [one for one in foreign if one not in own and f"|{one}|" in text]


def test_groups_that_are_code_lists_have_names() -> None:
    """Groupings that are no covariates are named by the code list of their name."""
    labels = Labels(DICTIONARY, read_plan("name: a"), "sv")
    assert labels.level("strategy", "both") == "polis och socialtjänst tillsammans"
    assert labels.level("agency", "police") == labels.code("agency", "police") != "police"
    assert labels.level("sex", "male_less_female") == "man − kvinna"
