"""Planted leaks: each a small change to the clean release, with the finding it must give."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from revictimisation.core.results import COUNTS, NUMBERS
from revictimisation.report.takeaway import compile_typst
from tests.attack.made import (
    EVERYBODY,
    HELD,
    SMALL,
    TAKEN,
    add,
    draw,
    draw_inline,
    edit,
    make_page,
    put,
    rewrite,
)

Rows = Callable[[pd.DataFrame], pd.Series]
PAGE, NOTEBOOK = "site/index.html", "notebooks/use.en.ipynb"
NAMES = {"time": "time_days"}
SECRET = "Ebba Månsdotter"


def where(**values: object) -> Rows:
    """The rows that have these values."""

    def choose(table: pd.DataFrame) -> pd.Series:
        chosen = pd.Series(True, index=table.index)
        for name, value in values.items():
            chosen &= table[NAMES.get(name, name)].eq(value).fillna(False).astype(bool)
        return chosen

    return choose


def show(rows: Rows, **values: object) -> Callable[[Path], None]:
    """Rows that were hidden, shown with these values."""
    return put(rows, status="ok", reason="", **values)


def repeat(rows: Rows, **values: object) -> Callable[[Path], None]:
    """The rows once more, with other values."""
    return edit("estimates", lambda table: pd.concat(
        [table, table[rows(table)].assign(**values)], ignore_index=True))  # fmt: skip


def hide(rows: Rows) -> Callable[[Path], None]:
    return put(rows, **SMALL, **EMPTY)


def do_all(*plants: Callable[[Path], None]) -> Callable[[Path], None]:
    def plant(out: Path) -> None:
        for one in plants:
            one(out)

    return plant


def write(path: str, text: str) -> Callable[[Path], None]:
    return lambda out: (out / path).write_text(text, encoding="utf-8") and None


def change_notebook(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def plant(out: Path) -> None:
        book = json.loads((out / NOTEBOOK).read_text(encoding="utf-8"))
        change(book)
        (out / NOTEBOOK).write_text(json.dumps(book), encoding="utf-8")

    return plant


def change_parquet(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def plant(out: Path) -> None:
        path = out / "release" / "estimates.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return plant


def stale_statistics(out: Path) -> None:
    """The least count of people in the footer is another than the table's."""
    path = out / "release" / "estimates.parquet"
    data = path.read_bytes()
    size = struct.unpack("<i", data[-8:-4])[0]
    least = struct.pack("<q", int(pd.read_parquet(path)["n_people"].min()))
    body, footer = data[: -8 - size], data[-8 - size :]
    assert least in footer
    path.write_bytes(body + footer.replace(least, struct.pack("<q", 3)))


def index_by_person(out: Path) -> None:
    """The table keeps the index it was worked on with."""
    path = out / "release" / "estimates.parquet"
    table = pd.read_parquet(path)
    table.set_axis([7 * row % 101 for row in range(len(table))]).to_parquet(path)


def list_drawn(out: Path) -> dict[int, float]:
    """The points of a figure that draws the first, hidden, one too."""
    table = pd.read_parquet(out / "release" / "estimates.parquet")
    curve = table[table["analysis"].eq("curve") & table["status"].eq("ok")]
    points = {0: 0.0, 30: 3 / EVERYBODY}
    return points | dict(zip(curve["time_days"], curve["estimate"], strict=True))


def write_print(out: Path, told: str) -> None:
    """A printed page says it, its letters by the signs of a font."""
    text = f'#set document(title: "Brief")\n= Title (one)\n#{json.dumps(told, ensure_ascii=False)}'
    (out / "site" / "brief_en.pdf").write_bytes(compile_typst(text, "pdf", "ua-1"))


def write_beside(out: Path) -> None:
    """A picture of dots tells what it was made of."""
    path = out / TAKEN / "index-1.png"
    data = path.read_bytes()
    told = b"tEXt" + b"note\0three men"
    chunk = struct.pack(">I", len(told) - 4) + told + struct.pack(">I", zlib.crc32(told))
    path.write_bytes(data[:-12] + chunk + data[-12:])


def hidden_in_output(book: dict) -> None:
    html = book["cells"][0]["outputs"][0]["data"]["text/html"][0]
    assert "NaN" in html
    place = html.index("NaN")
    book["cells"][0]["outputs"][0]["data"]["text/html"] = [
        html[:place] + "24.0" + html[place + 3 :]
    ]


WOMEN = where(measure="alarm_package", level="female", estimand="count")
MEN = where(measure="alarm_package", level="male", estimand="count")
WOMEN_SHARE = where(measure="alarm_package", level="female", estimand="share")
ALL = where(measure="alarm_package", subgroup="", estimand="count")
TALK = where(measure="safety_talk", outcome="carried_out", subgroup="", estimand="count")
TRIAL = {"measure": "safety_talk", "estimator": "clone_censor_weight"}
ALARM = {"measure": "alarm_package", "estimator": "clone_censor_weight"}
CURVE = where(analysis="curve", time=274)
STRATEGIES = "three_strategies"
EMPTY = dict.fromkeys((*NUMBERS, *COUNTS), pd.NA)
STRATEGY = {**TRIAL, **EMPTY, "question": "q2", "analysis": STRATEGIES, "subgroup": "strategy",
            "outcome": "same_suspect", "time_days": 365}  # fmt: skip
SHARES = {"analysis": "treatment_share"}
OF_MEN = where(**SHARES, level="male")


def trial(estimand: str, analysis: str = "main", **of: str) -> Rows:
    return where(**(of or TRIAL), estimand=estimand, analysis=analysis)


def both(estimand: str) -> Rows:
    """Rows of the number whichever its interval."""
    return where(**TRIAL, estimand=estimand)


def flatten(table: pd.DataFrame) -> None:
    """A hidden day between two with the same count."""
    days = table["analysis"].eq("curve")
    table.loc[days & table["time_days"].eq(365), ["n_events", "estimate"]] = [20, 20 / 300]
    gone = days & table["time_days"].eq(274)
    table.loc[gone, ["estimate", "se", "n_people", "n_events"]] = pd.NA
    table.loc[gone, ["status", "reason"]] = ["suppressed", "small_number"]
    main = table["analysis"].eq("main") & table["time_days"].eq(365) & table["measure"].eq("")
    table.loc[main, ["n_events", "estimate"]] = [20, 20 / 300]


def make_exact_limits(table: pd.DataFrame) -> None:
    """The limits of a share are of exact counts: 91 of 301."""
    from revictimisation.estimators.intervals import wilson_interval

    rows = where(measure="safety_talk", outcome="carried_out", subgroup="", estimand="share",
                 analysis="main")(table)  # fmt: skip
    low, high = wilson_interval([91.0], [301.0])
    table.loc[rows, ["ci_low", "ci_high"]] = [low[0].round(6), high[0].round(6)]


def diagnose(
    check: str, value: float, measure: str = "safety_talk", of: str = "clone_censor_weight"
) -> Callable[[Path], None]:
    """A check with a value."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        rest = table[~(table["check"].eq(check) & table["measure"].eq(measure))]
        new = pd.DataFrame([[of, measure, check, value, float("nan"), "ok"]],
                           columns=table.columns)  # fmt: skip
        return pd.concat([rest, new], ignore_index=True)

    return edit("diagnostics", change)


def drop_steps(table: pd.DataFrame) -> None:
    """Unrounded rows left before and after a suppressed loss."""
    table.loc[[1, 2], "n_reports"] = [841, 838]


PLANTS: dict[str, tuple[tuple[str, str], Callable[[Path], None]]] = {
    # what single rows tell
    "count on a suppressed row": (("rows", "left"), put(MEN, n_events=3)),
    "estimate on a withheld row": (
        ("rows", "left"), put(trial("risk_difference", **ALARM), estimate=-0.04)),
    "small count": (("rows", "small"), show(MEN, estimate=3, n_events=3, n_people=100)),
    "nobody": (("rows", "small"), show(MEN, estimate=0, n_events=0, n_people=100)),
    "everybody": (("rows", "all"), show(MEN, estimate=100, n_events=100, n_people=100)),
    "unrounded count": (("rows", "unrounded"), put(TALK, n_events=91)),
    "unrounded people": (("rows", "unrounded"), put(TALK, n_people=301)),
    "share off its steps": (("rows", "fine"), put(CURVE, estimate=29 / 301)),
    "hazard ratio of six digits": (
        ("rows", "digits"), put(where(estimand="hazard_ratio", status="ok"), estimate=0.812345)),
    "error of four digits": (("rows", "digits"), put(CURVE, se=0.01713)),
    "days with decimals": (("rows", "digits"), put(both("rmst_difference_days"), estimate=9.25)),
    "few who are in one arm alone": (
        ("rows", "alone"), put(trial("risk_difference"), n_people=180)),
    "people who are nearly all entries": (("rows", "part"), repeat(
        where(analysis="main", estimand="cumulative_incidence", status="ok"),
        analysis="by_person")),
    "events but for those of one kind": (("rows", "part"), repeat(
        trial("risk_start"), analysis="without_breach_only")),
    "small loss": (("rows", "small"), edit("attrition", lambda t: t.__setitem__(
        "n_dropped", t["n_dropped"].fillna(2)))),
    "unrounded loss": (("rows", "unrounded"), edit("attrition", lambda t: t.__setitem__(
        "n_dropped", t["n_dropped"].replace(65, 64)))),
    "loss between steps": (("rows", "within"), edit("attrition", drop_steps)),
    # counts that follow
    "total less the other level": (
        ("margins", "exact"), do_all(put(ALL, n_events=27),
                                 show(WOMEN, n_events=24, n_people=205))),
    "total less a rounded level": (
        ("margins", "within"), show(WOMEN, estimate=25, n_events=25, n_people=205)),
    "limits of exact counts": (("limits", "exact"), edit("estimates", make_exact_limits)),
    "share beside its hidden count": (
        ("twins", "shown_elsewhere"),
        show(WOMEN_SHARE, estimate=0.121951, n_events=25, n_people=205)),
    "report day beside its hidden curve": (
        ("twins", "shown_elsewhere"),
        show(where(analysis="main", time=30), estimate=5 / 300, n_events=5, n_people=300)),
    "flat curve around a hidden day": (("curves", "within"), edit("estimates", flatten)),
    "unrounded neighbours on a curve": (
        ("curves", "step"), do_all(put(where(analysis="curve", time=182), n_events=26),
                                   put(CURVE, n_events=29))),
    # what is followed by quarter and year, and within groups
    "quarter by its year and the other quarters": (
        ("curves", "within"), show(where(level="2013-Q3"), estimate=5 / 35, n_events=5,
                                   n_people=35)),
    "honour cases of a year by the others of that year": (
        ("curves", "within"), show(where(level="false:2014"), estimate=30 / 105, n_events=30,
                                   n_people=105)),
    "honour cases of a year by the other year": (
        ("curves", "exact"), do_all(
            put(where(level="true", estimand="cumulative_incidence"), n_events=11),
            put(where(level="true:2013"), n_events=7))),
    # algebra within a comparison
    "difference of two shown risks": (("algebra", "algebra"), hide(both("risk_difference"))),
    "difference by the number needed": (
        ("algebra", "algebra"), do_all(hide(both("risk_difference")), hide(both("risk_start")))),
    "risks by ratio and difference": (
        ("algebra", "algebra"), do_all(hide(both("risk_start")), hide(both("risk_no_start")))),
    "hazard ratio by its logarithm": (
        ("algebra", "algebra"), hide(where(estimand="hazard_ratio", measure="safety_talk"))),
    "number needed of the exact difference": (
        ("algebra", "finer"), put(both("number_needed_to_treat"), estimate=16.437)),
    "another interval": (
        ("algebra", "other_interval"), hide(trial("rmst_difference_days"))),
    "level by the difference of two": (("algebra", "levels"), hide(OF_MEN)),
    "error of a withheld effect": (
        ("algebra", "error"), diagnose("minimum_detectable_difference:365", 0.16, "alarm_package")),
    "error of a withheld contrast of strategies": (("algebra", "error"), do_all(
        add("estimates", **STRATEGY, **HELD, level="both_less_none", estimand="risk_difference"),
        diagnose("minimum_detectable_difference:both_less_none:365", 0.16, of=STRATEGIES))),
    # diagnostics
    "events behind a hidden strategy": (("diagnostics", "behind"), do_all(
        add("estimates", **STRATEGY, **SMALL, level="both", estimand="cumulative_incidence"),
        diagnose("n_events:both:365", 20.0, of=STRATEGIES))),
    "unrounded check": (("diagnostics", "count"), diagnose("effective_sample_size:start", 103)),
    "a person's weight": (("diagnostics", "extreme"), diagnose("weight_max:start", 14.0)),
    "share that tells its people": (
        ("diagnostics", "fraction"), diagnose("share_outside_support", 13 / EVERYBODY)),
    "share of an arm in steps of all": (
        ("diagnostics", "fraction"), diagnose("share_weighted:start:sex=male", 2 / 55)),
    "statistic of five digits": (
        ("diagnostics", "digits"), diagnose("largest_standardised_difference", 0.083421)),
    "events behind a hidden risk": (("diagnostics", "behind"), do_all(
        hide(where(measure="safety_talk", estimand="risk_start")))),
    # pages, figures, notebooks, table files
    "comment on a page": (("carriers", "hidden"), rewrite(PAGE, "<main>", "<main><!-- men: 3 -->")),
    "hidden element": (
        ("carriers", "hidden"), rewrite(PAGE, "<main>", '<main><p hidden="">24 women</p>')),
    "element that a style hides": (
        ("carriers", "hidden"),
        rewrite(PAGE, "<main>", '<main><div style="display: none"><b>24</b> women</div>')),
    "data of a script": (
        ("carriers", "hidden"),
        rewrite(PAGE, "<main>", '<main><script type="application/json">[24, 3]</script>')),
    "data attribute": (("carriers", "hidden"), rewrite(PAGE, "<td>–", '<td data-n="24">–')),
    "alternative text": (
        ("carriers", "hidden"), rewrite(PAGE, "25 in 100.", "25 in 100 (0.11823).")),
    "unrounded count on a page": (("carriers", "page_count"), rewrite(PAGE, "<td>90", "<td>91")),
    "hidden row in a notebook": (("carriers", "page_table"), change_notebook(hidden_in_output)),
    "hidden point in a notebook's figure": (("carriers", "figure"), lambda out: write(
        PAGE, make_page(draw(list_drawn(out))))(out)),
    "hidden point in a figure": (("carriers", "figure"), lambda out: write(
        PAGE, make_page("", draw_inline(list_drawn(out))))(out)),
    "description of a figure": (
        ("carriers", "hidden"), rewrite(PAGE, "25 in 100.</desc>", "25.117 in 100.</desc>")),
    "share in a file beside a page": (
        ("carriers", "page_table"), rewrite(f"{TAKEN}/index_en-1.csv", ",0.3", ",0.3017")),
    "count in a file beside a page": (
        ("carriers", "page_table"), rewrite(f"{TAKEN}/index_en-1.csv", ",90", ",91")),
    "share in a Swedish file": (
        ("carriers", "page_table"), rewrite(f"{TAKEN}/index-1.csv", ";0,3", ";0,3017")),
    "text in a picture of dots": (("carriers", "metadata"), write_beside),
    "metadata of a table file": (("carriers", "metadata"), change_parquet(
        lambda t: t.replace_schema_metadata({**t.schema.metadata, b"exact": b"3"}))),
    "index of a table file": (("carriers", "metadata"), index_by_person),
    "statistics of a table file": (("carriers", "statistics"), stale_statistics),
    "column in one file alone": (("carriers", "columns"), lambda out: pd.read_parquet(
        out / "release/estimates.parquet").assign(n_exact=5).to_csv(
            out / "release/estimates.csv", index=False)),
    "files that disagree": (("carriers", "disagree"), rewrite(
        "release/estimates.csv", ",90,ok", ",95,ok")),
    # traces
    "pseudonym": (("traces", "pseudonym"), rewrite(PAGE, "</main>", "p003af79dd9ce26</main>")),
    "pseudonym in print": (("traces", "pseudonym"), lambda out: write_print(
        out, "Her number is p003af79dd9ce26.")),
    "free text in print": (("traces", "secret"), lambda out: write_print(out, SECRET)),
    "pseudonym of a key": (("traces", "pseudonym"), change_notebook(
        lambda book: book["metadata"].update(first="p_" + 4 * "9f86d081"))),
    "identity number": (("traces", "identity_number"), rewrite(
        PAGE, "</main>", "19811218-9876</main>")),
    "e-mail": (("traces", "email"), rewrite(PAGE, "</main>", "ebba@lansstyrelsen.se</main>")),
    "connection with a password": (("traces", "password"), change_notebook(
        lambda book: book["cells"][0].update(source=["postgresql://ebba:hemligt@db/brott"]))),
    "path with a user name": (("traces", "path"), change_notebook(
        lambda book: book["metadata"].update(papermill={"input_path": "/home/ebba/study.ipynb"}))),
    "path of Windows": (("traces", "path"), change_notebook(
        lambda book: book["metadata"].update(input_path="C:\\Users\\ebba\\study.ipynb"))),
    "control character": (("traces", "control"), rewrite(PAGE, "</main>", "\x07</main>")),
    "free text of the extract": (("traces", "secret"), rewrite(
        PAGE, "</main>", f"{SECRET}</main>")),
    "date as a level": (("traces", "date"), add("estimates", subgroup="day", level="2013-04-27")),
    "formula as a level": (("traces", "formula"), add("estimates", subgroup="a", level="=1+1")),
    "name as a level": (("traces", "name"), add("estimates", subgroup="a", level=SECRET)),
    "address as a level": (("traces", "name"), add(
        "estimates", subgroup="a", level="Storgatan 5")),
    "measure never shown": (("traces", "group"), add("estimates", measure="personal_security")),
    "measure never shown in a combination": (("traces", "group"), add(
        "estimates", subgroup="combined_with", level="personal_security")),
    "shelter by place": (("traces", "group"), add(
        "estimates", measure="sheltered_housing", subgroup="police_district", level="norrort")),
    "further covariate as a group": (("traces", "group"), add(
        "estimates", subgroup="x_area", level="4")),
    # files
    "file that nobody names": (("surplus", "unlisted"), write("release/notes.txt", "men")),
    "hidden file": (("surplus", "unlisted"), write("site/.index.html.swp", "men")),
    "changed file": (("surplus", "changed"), rewrite(PAGE, "25 in 100", "20 in 100")),
    "file that is gone": (("surplus", "missing"), lambda out: (
        out / "release/attrition.csv").unlink()),
    "link": (("surplus", "link"), lambda out: (out / "release/more").symlink_to(
        out / "restricted")),
    "when a notebook was run": (("surplus", "time"), change_notebook(
        lambda book: book["metadata"].update(end_time="2026-11-30T14:18:47"))),
}  # fmt: skip
# Of these the files are as they were listed: what is found is of the files themselves.
UNSEALED = {name for name, ((kind, _), _) in PLANTS.items() if kind == "surplus"}
