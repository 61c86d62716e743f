"""What disclosure control costs: which numbers are not told, by which rule; how far others move.

    python benchmarks/disclosure_cost.py                   the studies of the yardstick, as they are
    python benchmarks/disclosure_cost.py OUT [OUT ...]     what runs left in OUT/restricted

Of each question and analysis: numbers of status `ok` among the restricted ones, those hidden as
small (themselves or beside a small one), as a step of a curve of few, as a complement and as a
difference of a hidden one, and the share shown. Of effects of the whole population: how far the
released ones lie from the exact ones, in their standard errors. Kept in results.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.core import files
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import disclose_tables, list_causes
from revictimisation.disclosure.rules import CAUSES
from revictimisation.plan import StudyPlan, read_plan

KEPT = ROOT / "tests" / "yardstick"
TABLES = ("estimates", "attrition", "diagnostics")
EFFECTS = ("risk_difference", "risk_ratio", "hazard_ratio", "odds_ratio", "rmst_difference_days",
           "mean_count_difference")  # fmt: skip


def find_studies(given: list[Path]) -> dict[str, tuple[StudyPlan, dict[str, pd.DataFrame]]]:
    """Each study's plan and restricted tables, by name."""
    if given:
        return {
            out.name: (
                read_plan((files.read_json(out / "manifest.json") or {})["study_file"]),
                {name: pd.read_parquet(out / "restricted" / f"{name}.parquet") for name in TABLES},
            )
            for out in given
        }
    county = (ROOT / "pipelines/studies/county.yaml").read_text(encoding="utf-8")
    names = ("county_600", "county_3000")
    return {
        name: (
            read_plan(county),
            {one: pd.read_parquet(KEPT / name / f"restricted_{one}.parquet") for one in TABLES},
        )
        for name in names
    }


def measure_cost(plan: StudyPlan, tables: dict[str, pd.DataFrame]) -> dict[str, object]:
    """What a study's release costs, and how long it takes to make."""
    dictionary = load_dictionary()
    began = time.process_time()
    released = disclose_tables(tables, plan, dictionary)
    seconds = time.process_time() - began
    exact = tables["estimates"]
    causes = list_causes(exact, plan, dictionary)
    is_ok, told = exact["status"].eq("ok"), released["estimates"]
    keys = [exact["question"], exact["analysis"]]
    columns = {"n_ok": is_ok, "n_shown": told["status"].eq("ok")}
    columns |= {f"n_{cause}": causes.eq(cause) for cause in CAUSES}
    counted = pd.DataFrame(columns)[is_ok].groupby([key[is_ok] for key in keys]).sum()
    counted.loc[("all", "all"), :] = counted.sum()
    counted = counted.astype(int).assign(
        share_shown=(counted["n_shown"] / counted["n_ok"]).round(3)
    )
    both = is_ok & told["status"].eq("ok") & exact["subgroup"].eq("") & exact["se"].gt(0)
    both &= exact["estimand"].eq("risk_difference")
    moved = ((told["estimate"] - exact["estimate"]) / exact["se"]).abs()[both]
    wider = ((told["ci_high"] - told["ci_low"]) / (exact["ci_high"] - exact["ci_low"]))[both]
    main = exact["analysis"].eq("main") & exact["subgroup"].eq("") & exact["estimand"].isin(EFFECTS)
    lost = main & is_ok & told["status"].ne("ok")
    changes = {"moved_in_errors_median": moved.median(), "moved_in_errors_most": moved.max(),
               "interval_wider_median": wider.median()}  # fmt: skip
    checks = released["diagnostics"]["value"].notna().sum() / max(len(released["diagnostics"]), 1)
    return {
        "seconds": round(seconds, 2),
        "n_main_effects": int((main & is_ok).sum()),
        "n_main_effects_hidden": int(lost.sum()),
        "share_checks_shown": round(float(checks), 3),
        **{name: round(float(value), 3) for name, value in changes.items() if pd.notna(value)},
        "by_analysis": counted.reset_index().to_dict("records"),
    }


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="*", type=Path)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    commit = name_clean_commit() if given.keep else ""
    found = {name: measure_cost(*study) for name, study in find_studies(given.out).items()}
    for name, cost in found.items():
        rows = pd.DataFrame(cost.pop("by_analysis") if not given.keep else cost["by_analysis"])
        print(f"\n{name}: { {key: cost[key] for key in cost if key != 'by_analysis'} }")
        print(rows.to_string(index=False))
    if given.keep:
        keep_result(ROOT / "benchmarks/results/disclosure_cost.json", found, commit)


if __name__ == "__main__":
    main()
