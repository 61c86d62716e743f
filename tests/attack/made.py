"""A small release made by hand, of which nothing can be recovered, with its exact tables."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.core import files
from revictimisation.core.results import COUNTS, NUMBERS, OK, make_estimates
from revictimisation.estimators.intervals import wilson_interval
from revictimisation.report.described import Curves, CurveSeries, Figure, Table
from revictimisation.report.formats import Formats
from revictimisation.report.takeaway import draw_pngs

DAYS = (30, 91, 182, 274, 365, 548, 730, 1096, 1461)
EVENTS = (3, 12, 21, 29, 38, 47, 56, 64, 73)  # by those days, of 301
EVERYBODY, WOMEN, MEN = 301, 203, 98
STUDY = "name: made\nmeasures: {safety_talk: {grace_days: 30}, alarm_package: {grace_days: 30}}\n"
TAKEN = "site/figures"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
USE = {"question": "q1", "analysis": "main", "estimator": "description"}
HELD = {"status": "withheld", "reason": "effective_sample_size"}
SMALL = {"status": "suppressed", "reason": "small_number"}


def make_exact() -> pd.DataFrame:
    """Exact rows, with the status that each has in the release."""
    rows = []
    for measure, outcome, counts, why in (
        ("safety_talk", "offered", (121, 82, 39), {}),
        ("safety_talk", "carried_out", (91, 58, 33), {}),
        ("alarm_package", "carried_out", (27, 24, 3), SMALL),
    ):
        for (group, level, n), k in zip(list_levels(), counts, strict=True):
            same = {**USE, **(why if group else {}), "measure": measure, "outcome": outcome,
                    "subgroup": group, "level": level, "n_people": n, "n_events": k}  # fmt: skip
            rows += [{**same, "estimand": "count", "estimate": k},
                     {**same, "estimand": "share", "estimate": k / n}]  # fmt: skip
    rows += list(make_curve()) + list(make_trial("safety_talk", {}))
    rows += list(make_trial("alarm_package", HELD)) + list(make_shares()) + list(make_course())
    return make_estimates(rows)


def list_levels():
    return (("", "", EVERYBODY), ("sex", "female", WOMEN), ("sex", "male", MEN))


def make_curve():
    """Report days and curve days; the first, of three people, is hidden."""
    for day, k in zip(DAYS, EVENTS, strict=True):
        why = SMALL if k < 5 else {}
        for analysis in ("curve", "main") if day in (30, 365, 1461) else ("curve",):
            yield {"question": "q2", "analysis": analysis, "outcome": "same_suspect",
                   "estimator": "aalen_johansen", "estimand": "cumulative_incidence",
                   "time_days": day, "estimate": k / EVERYBODY, "se": 0.013,
                   "n_people": EVERYBODY, "n_events": k, **why}  # fmt: skip


def make_trial(measure, why):
    """A comparison at one time, by two intervals; a hazard ratio."""
    start, no_start = 35 / 121, 63 / 180
    numbers = {
        "risk_start": (start, 121, 35), "risk_no_start": (no_start, 180, 63),
        "risk_difference": (start - no_start, 301, 98), "risk_ratio": (start / no_start, 301, 98),
        "number_needed_to_treat": (-1 / (start - no_start), 301, 98),
        "rmst_difference_days": (9.0, 301, 98),
    }  # fmt: skip
    same = {"question": "q2", "measure": measure, "outcome": "same_suspect", **why}
    for analysis in ("main", "influence_interval"):
        for estimand, (value, n, k) in numbers.items():
            yield {**same, "analysis": analysis, "estimator": "clone_censor_weight",
                   "estimand": estimand, "time_days": 365, "estimate": value, "se": 0.055,
                   "n_people": n, "n_events": k}  # fmt: skip
    for estimand, value in (("hazard_ratio", 0.81), ("log_hazard_ratio", float(np.log(0.81)))):
        yield {**same, "analysis": "main", "estimator": "cox_time_varying", "estimand": estimand,
               "estimate": value, "se": 0.12, "n_people": 121, "n_events": 41}  # fmt: skip


def make_shares():
    same = {"question": "q3", "analysis": "treatment_share", "measure": "safety_talk",
            "outcome": "started", "estimator": "description"}  # fmt: skip
    for (group, level, n), k in zip(list_levels(), (91, 58, 33), strict=True):
        yield {**same, "subgroup": group, "level": level, "estimand": "share",
               "estimate": k / n, "n_people": n, "n_events": k, "se": 0.03}  # fmt: skip
    yield {**same, "subgroup": "sex", "level": "male_less_female", "se": 0.06,
           "estimand": "share_difference", "estimate": 33 / MEN - 58 / WOMEN}  # fmt: skip


# By quarter, and in honour cases by year: how many, and with how many outcomes by three years.
QUARTERS = {
    "2013-Q1": (40, 20),
    "2013-Q2": (38, 6),
    "2013-Q3": (37, 5),
    "2013-Q4": (36, 1),
    "2014-Q1": (38, 20),
    "2014-Q2": (38, 4),
    "2014-Q3": (37, 4),
    "2014-Q4": (37, 4),
}
YEARS = {"2013": (151, 32), "2014": (150, 32)}
HONOUR = {
    "false:2013": (120, 26),
    "false:2014": (105, 28),
    "true:2013": (31, 6),
    "true:2014": (45, 4),
}
NOT_TOLD = ("2013-Q3", "2013-Q4", "2014-Q2", "2014-Q3", "2014-Q4", "false:2014", "true:2014")


def make_course():
    """By quarter and year and in honour cases; the small ones are hidden, and others with them."""
    same = {"outcome": "same_suspect", "estimator": "aalen_johansen", "time_days": 1096, "se": 0.03}
    course = {**same, "question": "course", "analysis": "unadjusted", "estimand": "share"}
    told = {"index_quarter": QUARTERS, "index_year": YEARS, "is_honour:index_year": HONOUR}
    for group, levels in told.items():
        for level, (n, k) in levels.items():
            yield {**course, "subgroup": group, "level": level, "estimate": k / n, "n_people": n,
                   "n_events": k, **(SMALL if level in NOT_TOLD else {})}  # fmt: skip
    for level, n, k in (("false", 225, 54), ("true", 76, 10)):
        yield {**same, "question": "q2", "analysis": "main", "estimand": "cumulative_incidence",
               "subgroup": "is_honour", "level": level, "estimate": k / n, "n_people": n,
               "n_events": k}  # fmt: skip
    yield {**course, "estimand": "yearly_change", "estimate": -0.026, "n_people": EVERYBODY,
           "n_events": 64}  # fmt: skip


def release(exact: pd.DataFrame) -> pd.DataFrame:
    """Rounded to fives, shares of rounded counts, all else of those; hidden rows are empty."""
    out = exact.copy()
    for name in COUNTS:
        out[name] = ((exact[name] + 2) // 5 * 5).astype("Int64")
    people, events = (out[name].astype(float) for name in COUNTS)
    is_share = out["estimand"].isin(
        ["share", "cumulative_incidence", "risk_start", "risk_no_start"]
    )
    out.loc[is_share, "estimate"] = (events / people)[is_share].round(6)
    is_plain = out["estimand"].eq("share") & out["se"].isna()
    low, high = wilson_interval(events[is_plain], people[is_plain])
    out.loc[is_plain, "ci_low"], out.loc[is_plain, "ci_high"] = low.round(6), high.round(6)
    is_count = out["estimand"].eq("count")
    out.loc[is_count, "estimate"] = events[is_count]
    start, no_start = 35 / 120, 65 / 180
    gap = round(start - no_start, 6)
    told = {"risk_difference": gap, "risk_ratio": round(start / no_start, 3),
            "number_needed_to_treat": round(-1 / gap, 3), "hazard_ratio": 0.81,
            "log_hazard_ratio": -0.211,
            "share_difference": round(35 / 100 - 60 / 205, 6)}  # fmt: skip
    for estimand, value in told.items():
        out.loc[out["estimand"].eq(estimand), "estimate"] = value
    hidden = out["status"].ne(OK)
    out.loc[hidden, [*NUMBERS, *COUNTS]] = pd.NA
    return out


def make_diagnostics() -> pd.DataFrame:
    main = ("clone_censor_weight", "safety_talk")
    rows = [
        (*main, "n_events:start:365", 35.0, 10.0, "ok"),
        (*main, "effective_sample_size:start", 105.0, 50.0, "ok"),
        (*main, "share_outside_support", 0.05, 0.05, "ok"),
        (*main, "largest_standardised_difference", 0.083, 0.1, "ok"),
        (*main, "minimum_detectable_difference:365", 0.15, 0.2, "ok"),
        (*main, "weight_max:start", np.nan, np.nan, "suppressed"),
        (main[0], "alarm_package", "minimum_detectable_difference:365", np.nan, 0.2, "suppressed"),
        (main[0], "alarm_package", "n_events:start:365", np.nan, 10.0, "suppressed"),
    ]
    return pd.DataFrame(rows, columns=["analysis", "measure", "check", "value", "limit", "status"])


def make_attrition() -> pd.DataFrame:
    rows = [
        ("reports", "in_extract", 420, 905, 0, "ok"),
        ("reports", "suspect_unknown", 400, 840, 65, "ok"),
        ("reports", "no_follow_up", 400, 840, pd.NA, "suppressed"),
        ("persons", "in_extract", 1250, 1250, 0, "ok"),
    ]
    names = ["step", "reason", "n_people", "n_reports", "n_dropped", "status"]
    table = pd.DataFrame(rows, columns=names)
    return table.astype(dict.fromkeys(names[2:5], "Int64"))


def draw(shares: dict[int, float]) -> str:
    """A curve as matplotlib draws one in a notebook."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "made"}):
        figure = Figure(figsize=(4, 3))
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.plot([*shares], [100 * share for share in shares.values()])
        axes.set_xticks([0, 365.25, 730.5, 1461], ["0", "1 year", "2 years", "4 years"])
        axes.set_yticks([0, 10, 20], ["0%", "10%", "20%"])
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def draw_inline(shares: dict[int, float]) -> str:
    """A curve as the pages draw one."""
    series = [CurveSeries("safety talk", [*shares], [*shares.values()])]
    days = [(0.0, "0"), (365.0, "1 year"), (731.0, "2 years"), (1461.0, "4 years")]
    curves = Curves(series, days, Formats("en").way("percent_short"))
    table = Table("Shares", ["day"], [])
    return Figure(curves, "A curve that ends at 25 in 100.", "A curve", "numbers", table).html


def make_page(figure: str, inline: str = "") -> str:
    picture = base64.b64encode(figure.encode()).decode()
    return (
        "<html><head><style>.a { display: none; }</style></head><body><main>"
        "<table><thead><tr><th>Measure</th><th>Number</th><th>Share</th></tr></thead><tbody>"
        "<tr><th>safety talk</th><td>90</td><td>30.0%</td></tr>"
        "<tr><th>alarm package</th><td>–</td><td>–</td></tr></tbody></table>"
        f'<img alt="A curve that ends at 25 in 100." src="data:image/svg+xml;base64,{picture}">'
        f"{inline}</main></body></html>"
    )


def make_notebook(rows: pd.DataFrame) -> dict:
    shown = rows[rows["estimand"].eq("count")]
    names = ["measure", "level", "outcome", "estimand", "estimate", "status"]
    html = shown[names].to_html(index=False)
    output = {"output_type": "execute_result", "data": {"text/html": [html]}, "metadata": {}}
    cell = {"cell_type": "code", "id": "a1", "source": ["rows"], "metadata": {},
            "outputs": [output], "execution_count": 1}  # fmt: skip
    return {"cells": [cell], "metadata": {"kernelspec": {"name": "python3"}},
            "nbformat": 4, "nbformat_minor": 5}  # fmt: skip


def without_a_victim(exact: pd.DataFrame) -> pd.DataFrame:
    """The same study had a woman not been in it, who was offered and got a safety talk."""
    is_hers = exact["level"].isin(["", "female"]) & exact["question"].ne("q2")
    is_hers &= exact["measure"].eq("safety_talk") & exact["n_people"].notna()
    out = exact.copy()
    out.loc[is_hers, list(COUNTS)] -= 1
    return out


def make_out(out: Path, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda t: t) -> Path:
    """A whole OUT: release, site, notebooks, restricted, manifest; all hashed."""
    exact = change(make_exact())
    shown = release(exact)
    files.write_table(exact, out / "restricted", "estimates", ("parquet",))
    write_tables(out, {"estimates": shown, "attrition": make_attrition(),
                       "diagnostics": make_diagnostics()})  # fmt: skip
    curve = shown[shown["analysis"].eq("curve") & shown["status"].eq(OK)]
    points = {0: 0.0, **dict(zip(curve["time_days"], curve["estimate"], strict=True))}
    files.write_text(out / "site" / "index.html", make_page(draw(points), draw_inline(points)))
    taken = "measure,Number,share\nsafety talk,90,0.3\nalarm package,–,–\n"
    files.write_text(out / TAKEN / "index_en-1.csv", taken)
    swedish = taken.replace(",", ";").replace(".", ",").replace("Number", "Antal")
    files.write_text(out / TAKEN / "index-1.csv", swedish)
    files.write_bytes(out / TAKEN / "index-1.png", draw_pngs([PICTURE])[0])
    files.write_json(out / "notebooks" / "use.en.ipynb", make_notebook(shown))
    seal(out)
    return out


def write_tables(out: Path, tables: dict[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        files.write_table(table, out / "release", name, ("csv", "parquet"))


def seal(out: Path) -> None:
    """List every file with its hash, as a release and a run do."""

    def list_hashes(names):
        return {
            path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for name in names
            for path in sorted((out / name).rglob("*"))
            if path.is_file() and not path.is_symlink() and path.name != "RELEASED"
        }

    pages = list_hashes(("site", "notebooks"))
    files.write_json(out / "manifest.json", {"study_file": STUDY, "outputs": pages})
    released = {
        name.removeprefix("release/"): told for name, told in list_hashes(["release"]).items()
    }
    files.write_text(out / "release" / "RELEASED", json.dumps(released))


def edit(
    name: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]
) -> Callable[[Path], None]:
    """A plant that changes a table of the release, in both its files."""

    def plant(out: Path) -> None:
        table = pd.read_parquet(out / "release" / f"{name}.parquet")
        changed = change(table)
        write_tables(out, {name: table if changed is None else changed})

    return plant


def put(rows: Callable[[pd.DataFrame], pd.Series], **values: object) -> Callable[[Path], None]:
    """A plant that puts values into the chosen rows of `estimates`."""

    def change(table: pd.DataFrame) -> None:
        chosen = rows(table)
        assert chosen.any()
        for name, value in values.items():
            table.loc[chosen, name] = value

    return edit("estimates", change)


def add(table_name: str, **values: object) -> Callable[[Path], None]:
    """A plant that adds a row like the first one, with other values."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        added = pd.concat([table, table.head(1)], ignore_index=True)
        for name, value in values.items():
            added.loc[len(table), name] = value
        return added

    return edit(table_name, change)


def rewrite(path: str, old: str, new: str) -> Callable[[Path], None]:
    """A plant that replaces a text in a file."""

    def plant(out: Path) -> None:
        text = (out / path).read_text(encoding="utf-8")
        assert old in text, old
        (out / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return plant
