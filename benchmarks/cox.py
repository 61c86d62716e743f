"""How long the start-stop Cox model takes, ours beside its peers, in one run.

    python benchmarks/cox.py --people 1000000          ours and R coxph(..., cluster =)
    python benchmarks/cox.py --people 10000            also lifelines and statsmodels

The data: 3 to 4 episodes a person over 1,461 days, 6 measures that go on and off, 7 covariates with
19 columns: 25 coefficients, robust errors by person. Each implementation runs in a process of its
own, so that its peak memory is its own. Ours is timed from the tables (design matrix included), R
from its finished matrix. The first run of ours in a process, which loads the compiled loops (or
compiles them, once per installation), is told apart from the others.
Writes benchmarks/results/cox_<people>.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

HERE = Path(__file__).parent
DAYS = 1461
MEASURES = [f"measure_{k}" for k in range(1, 7)]
# covariate: shares of its categories; one fewer columns each
CATEGORIES = {
    "sex": [0.85, 0.15],
    "age_group": [0.05, 0.05, 0.2, 0.45, 0.2, 0.05],
    "relation": [0.35, 0.35, 0.1, 0.1, 0.1],
    "is_honour": [0.85, 0.1, 0.05],
    "risk_level": [0.3, 0.2, 0.2, 0.3],
    "index_year": [0.25, 0.25, 0.25, 0.25],
}
SEED = 1


def make_people(n_people: int, rng: np.random.Generator) -> pd.DataFrame:
    """Covariates, a row per person: six categories and one number; 19 columns of a model."""
    people = pd.DataFrame({"n_earlier_reports": np.minimum(rng.poisson(0.8, n_people), 5)})
    for name, shares in CATEGORIES.items():
        codes = rng.choice(len(shares), size=n_people, p=shares)
        people[name] = pd.Categorical.from_codes(codes, [f"c{k}" for k in range(len(shares))])
    return people


def make_episodes(n_people: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People and their episodes (start, stop]; two measures at most per person, each on once."""
    rng = np.random.default_rng(SEED)
    people = make_people(n_people, rng)
    frailty = (
        0.3 * people["n_earlier_reports"].to_numpy() + 0.2 * (people["sex"] == "c1").to_numpy()
    )
    waiting = rng.exponential(1 / np.exp(-8.7 + frailty)) * rng.beta(0.8, 0.6, n_people)
    leaving = rng.exponential(9000, n_people)
    stop = np.ceil(np.minimum(np.minimum(waiting, leaving), DAYS)).astype(np.int64).clip(1)
    is_event = (waiting <= leaving) & (waiting <= DAYS)
    spells = [_draw_spell(rng, n_people) for _ in range(2)]
    cuts = np.sort(
        np.column_stack([np.minimum(edge, stop) for spell in spells for edge in spell[:2]]), axis=1
    )
    edges = np.column_stack([np.zeros(n_people, np.int64), cuts, stop])
    person, piece = np.nonzero(edges[:, 1:] > edges[:, :-1])
    episodes = pd.DataFrame({"person": person, "start": edges[person, piece]})
    episodes["stop"] = edges[person, piece + 1]
    episodes["is_event"] = is_event[person] & (episodes["stop"].to_numpy() == stop[person])
    for k, name in enumerate(MEASURES):
        held = np.zeros(len(person), dtype=bool)
        for begin, end, kind in spells:
            mine = kind[person] == k
            held |= mine & (begin[person] <= episodes["start"]) & (episodes["start"] < end[person])
        episodes[name] = held.astype(np.int8)
    return people, episodes


def _draw_spell(rng, n_people):
    begin = np.ceil(rng.exponential(350, n_people)).astype(np.int64)
    length = np.ceil(rng.exponential(200, n_people)).astype(np.int64)
    return begin, begin + length, rng.integers(len(MEASURES), size=n_people)


def terms_of(people: pd.DataFrame) -> list[str]:
    return list(people.columns)


# ---- ours --------------------------------------------------------------------------------------
def run_ours(folder: Path, repetitions: int) -> dict:
    from revictimisation.estimators.cox import fit_cox
    from revictimisation.estimators.design import build_design

    people, episodes = (
        pd.read_pickle(folder / "people.pkl"),
        pd.read_pickle(folder / "episodes.pkl"),
    )
    person = episodes["person"].to_numpy()
    seconds, parts = [], []
    for _ in range(repetitions + 1):
        began = time.perf_counter()
        design = build_design(people, terms_of(people), person, measures=episodes[MEASURES])
        designed = time.perf_counter()
        columns = (episodes[name].to_numpy() for name in ("start", "stop", "is_event"))
        fit = fit_cox(design, *columns, cluster=person)
        ended = time.perf_counter()
        seconds.append(ended - began)
        parts.append(designed - began)
    return {
        "seconds_first": seconds[0],
        "seconds": seconds[1:],
        "seconds_of_which_design": parts[1:],
        "names": list(fit.names),
        "coef": fit.coef.tolist(),
        "se_robust": fit.se_robust.tolist(),
        "n_iterations": fit.n_iterations,
    }


# ---- R -----------------------------------------------------------------------------------------
R_SCRIPT = """
suppressPackageStartupMessages(library(survival))
args <- commandArgs(TRUE); folder <- args[1]; n <- as.integer(args[2]); p <- as.integer(args[3])
read <- function(name, what, count) {
  con <- file(file.path(folder, name), "rb"); on.exit(close(con))
  readBin(con, what, count)
}
x <- matrix(read("x.bin", "double", n * p), n, p)
start <- read("start.bin", "integer", n); stop <- read("stop.bin", "integer", n)
event <- read("event.bin", "integer", n); id <- read("id.bin", "integer", n)
seconds <- system.time(fit <- coxph(Surv(start, stop, event) ~ x, cluster = id))[["elapsed"]]
peak <- sum(gc()[, 6])
cat(sprintf("%.17g", c(seconds, peak, fit$iter, coef(fit), sqrt(diag(fit$var)))), sep = "\\n")
cat(paste0("R ", getRversion(), ", survival ", packageVersion("survival")), "\\n")
"""


def run_r(folder: Path, repetitions: int) -> dict:
    x, _ = dense_columns(folder)
    n, p = x.shape
    episodes = pd.read_pickle(folder / "episodes.pkl")
    x.ravel(order="F").tofile(folder / "x.bin")
    for name, column in {
        "start": "start",
        "stop": "stop",
        "event": "is_event",
        "id": "person",
    }.items():
        episodes[column].to_numpy().astype(np.int32).tofile(folder / f"{name}.bin")
    del x, episodes
    script = folder / "peer.R"
    script.write_text(R_SCRIPT, encoding="utf-8")
    seconds = []
    for _ in range(repetitions):
        command = ["Rscript", "--vanilla", str(script), str(folder), str(n), str(p)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        *numbers, versions = answer.stdout.split("\n")[: 3 + 2 * p + 1]
        seconds.append(float(numbers[0]))
    values = [float(number) for number in numbers[3:]]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "seconds": seconds,
        "coef": values[:p],
        "se_robust": values[p:],
        "n_iterations": int(float(numbers[2])),
        "peak_mb": peak,
        "versions": versions.strip(),
    }


def dense_columns(folder: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    from revictimisation.estimators.design import build_design

    people, episodes = (
        pd.read_pickle(folder / "people.pkl"),
        pd.read_pickle(folder / "episodes.pkl"),
    )
    design = build_design(people, terms_of(people), episodes["person"], measures=episodes[MEASURES])
    return design.to_dense(), design.names


# ---- the Python peers --------------------------------------------------------------------------
def run_lifelines(folder: Path, repetitions: int) -> dict:
    import lifelines

    x, names = dense_columns(folder)
    episodes = pd.read_pickle(folder / "episodes.pkl")
    frame = pd.DataFrame(x, columns=list(names))
    frame[["id", "start", "stop", "event"]] = episodes[
        ["person", "start", "stop", "is_event"]
    ].to_numpy(dtype=float)
    seconds = []
    for _ in range(repetitions):
        fitter = lifelines.CoxTimeVaryingFitter()
        began = time.perf_counter()
        fitter.fit(frame, id_col="id", event_col="event", start_col="start", stop_col="stop")
        seconds.append(time.perf_counter() - began)
    return {
        "seconds": seconds,
        "coef": fitter.params_.to_list(),
        "versions": f"lifelines {lifelines.__version__}",
        "lacks": "robust errors",
    }


def run_statsmodels(folder: Path, repetitions: int) -> dict:
    from statsmodels.duration.hazard_regression import PHReg

    x, _ = dense_columns(folder)
    episodes = pd.read_pickle(folder / "episodes.pkl")
    # PHReg counts a person as at risk at the entry day itself; half a day later is after it
    entry = episodes["start"].to_numpy() + 0.5
    event = episodes["is_event"].to_numpy().astype(int)
    seconds = []
    for _ in range(repetitions):
        began = time.perf_counter()
        model = PHReg(episodes["stop"].to_numpy(), x, status=event, entry=entry, ties="efron")
        result = model.fit(groups=episodes["person"].to_numpy())
        seconds.append(time.perf_counter() - began)
    answer = {
        "seconds": seconds,
        "coef": np.asarray(result.params).tolist(),
        "versions": f"statsmodels {version('statsmodels')}",
        "note": "entry moved by half a day, see the source",
    }
    errors = np.asarray(result.bse)
    if not np.isfinite(errors).all():
        return answer | {"lacks": "robust errors: asked for by groups, it gives NaN"}
    return answer | {"se_robust": errors.tolist()}


RUNNERS = {
    "ours": run_ours,
    "r_coxph": run_r,
    "lifelines_time_varying": run_lifelines,
    "statsmodels_phreg": run_statsmodels,
}


# ---- the run -----------------------------------------------------------------------------------
def run_apart(name: str, folder: Path, repetitions: int) -> dict:
    """Run one implementation in a process of its own and add its peak memory."""
    command = [sys.executable, __file__, "--run", name, "--folder", str(folder)]
    command += ["--repetitions", str(repetitions)]
    subprocess.run(command, check=True)
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def run_here(name: str, folder: Path, repetitions: int) -> None:
    result = RUNNERS[name](folder, repetitions)
    result.setdefault("peak_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    (folder / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")


def describe_machine() -> dict:
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), model)
    packages = ("numpy", "numba", "pandas", "scipy", "lifelines", "statsmodels")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def compare(results: dict) -> dict:
    """How many times as long as ours, and the largest differences from ours.

    `ratio` sets medians side by side: ours runs several times and a peer once, so our fastest run
    against its only one would flatter us. `ratio_to_our_slowest` is the least favourable reading.
    """
    ours, compared = results["ours"], {}
    for name, peer in results.items():
        if name == "ours":
            continue
        gaps = {
            "ratio": median(peer["seconds"]) / median(ours["seconds"]),
            "ratio_to_our_slowest": median(peer["seconds"]) / max(ours["seconds"]),
        }
        for number in ("coef", "se_robust"):
            if number in peer:
                gap = np.abs(np.array(peer[number]) - np.array(ours[number]))
                gaps[f"largest_difference_{number}"] = float(gap.max())
        compared[name] = gaps
    return compared


def report(summary: dict) -> None:
    print(f"{summary['n_people']:,} people, {summary['n_episodes']:,} episodes,", end=" ")
    print(f"{summary['n_events']:,} events, {summary['n_coefficients']} coefficients")
    for name, result in summary["results"].items():
        runs = ", ".join(f"{s:.2f}" for s in result["seconds"])
        print(f"{name:24} {runs} s   peak {result['peak_mb']:,.0f} MB")
    print(f"{'ours, first in a process':24} {summary['results']['ours']['seconds_first']:.2f} s")
    for name, gaps in summary["compared"].items():
        print(f"{name:24} takes {gaps['ratio']:.0f} times as long as ours", end=" ")
        print(f"({gaps['ratio_to_our_slowest']:.0f} times our slowest run);", end=" ")
        print(", ".join(f"{key} {value:.1e}" for key, value in gaps.items() if "ratio" not in key))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=5, help="of ours; the peers run once")
    parser.add_argument("--peers", nargs="*", choices=list(RUNNERS)[1:], help="default: by size")
    parser.add_argument("--run", choices=list(RUNNERS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_here(options.run, options.folder, options.repetitions)
        return
    peers = options.peers
    if peers is None:
        peers = list(RUNNERS)[1:] if options.people <= 10_000 else ["r_coxph"]
    if "r_coxph" in peers and not shutil.which("Rscript"):
        sys.exit(
            "Rscript is not on PATH; install r-base-core and r-cran-survival, or choose --peers"
        )
    commit = name_clean_commit()
    with tempfile.TemporaryDirectory() as name:
        summary = measure(Path(name), options.people, options.repetitions, peers)
    report(summary)
    path = HERE / "results" / f"cox_{options.people}.json"
    path.parent.mkdir(exist_ok=True)
    keep_result(path, summary, commit, indent=1)


def measure(folder: Path, n_people: int, repetitions: int, peers: list[str]) -> dict:
    people, episodes = make_episodes(n_people)
    people.to_pickle(folder / "people.pkl")
    episodes.to_pickle(folder / "episodes.pkl")
    size = {"n_episodes": len(episodes), "n_events": int(episodes["is_event"].sum())}
    del people, episodes
    results = {"ours": run_apart("ours", folder, repetitions)}
    results |= {peer: run_apart(peer, folder, 1) for peer in peers}
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/cox.py " + " ".join(sys.argv[1:]),
        "machine": describe_machine(),
        "n_people": n_people,
        **size,
        "n_coefficients": len(results["ours"]["coef"]),
        "results": results,
        "compared": compare(results),
    }


if __name__ == "__main__":
    main()
