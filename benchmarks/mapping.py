"""One million report rows from the police's text file to the contract's table, against pandas.

    python benchmarks/mapping.py --rows 1000000
    python benchmarks/mapping.py --columns 50 400 3000    # drafts of wide files, 3,000 rows each

Ours: `revictimisation map` as a process of its own, from a text in Windows-1252 with semicolons,
days first, Swedish codes and a column of names, to reports.csv. Peer: the same done by hand with
pandas, also as a process of its own; both results must be the same rows in the same order. Seconds
are of the whole process, beside those of its processors (for busy machines); peak memory is its
own. Leaves benchmarks/results/mapping.json; with --columns mapping_wide.json, the draft alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

RESULTS = Path(__file__).parent / "results"
WIDE_ROWS = 3_000
RELATIONS = {
    "Make/maka": "current_partner",
    "Före detta": "former_partner",
    "Förälder": "parent",
    "Bekant": "acquaintance",
}
MAPPING = """\
tables:
  reports:
    - file: anmalningar.csv
      date: day_month_year
      missing: ["-"]
      columns:
        report_id: Diarienummer
        victim_id: Målsägande
        suspect_id: Misstänkt
        reported_on: Anmälningsdatum
        offence_code: Brottskod
        relation:
          from: Relation
          codes: {codes}
        is_honour: {{from: Heder, codes: {{Ja: true, Nej: false}}}}
        municipality_code: {{from: Kommun, zeros: 4}}
"""


def write_source(folder: Path, n_rows: int) -> None:
    """A random text as a Swedish system writes it, piece by piece."""
    rng = np.random.default_rng(1)
    days = pd.date_range("2011-01-01", "2018-12-31").strftime("%d.%m.%Y 08:15").to_numpy()
    path = folder / "anmalningar.csv"
    heading = (
        "Diarienummer;Målsägande;Misstänkt;Namn;Anmälningsdatum;Brottskod;Relation;Heder;Kommun"
    )
    path.write_bytes(f"{heading}\r\n".encode("cp1252"))
    for start in range(0, n_rows, 250_000):
        n = min(250_000, n_rows - start)
        numbers = np.arange(start, start + n)
        frame = pd.DataFrame(
            {
                "report": np.char.add("K", numbers.astype(str)),
                "victim": np.char.add("v", rng.integers(0, n_rows // 2 + 1, n).astype(str)),
                "suspect": np.where(
                    rng.random(n) < 0.1, "-", np.char.add("s", numbers.astype(str))
                ),
                "name": "Åsa Östlund",
                "day": rng.choice(days, n),
                "offence": rng.choice(["0412", "9353", "0303"], n),
                "relation": rng.choice([*RELATIONS], n),
                "honour": rng.choice(["Ja", "Nej", ""], n),
                "municipality": rng.choice(["126", "180", "1280"], n),
            }
        )
        with path.open("ab") as stream:
            text = frame.to_csv(sep=";", index=False, header=False, lineterminator="\r\n")
            stream.write(text.encode("cp1252"))


def map_by_pandas(folder: Path, target: Path) -> None:
    """The same by hand, as an analyst would write it."""
    source = pd.read_csv(folder / "anmalningar.csv", sep=";", encoding="cp1252", dtype=str)
    source = source.replace("-", np.nan)
    days = pd.to_datetime(source["Anmälningsdatum"].str[:10], format="%d.%m.%Y")
    pd.DataFrame(
        {
            "report_id": source["Diarienummer"],
            "victim_id": source["Målsägande"],
            "suspect_id": source["Misstänkt"],
            "reported_on": days.dt.strftime("%Y-%m-%d"),
            "offence_from_on": "",
            "offence_code": source["Brottskod"],
            "relation": source["Relation"].map(RELATIONS),
            "is_honour": source["Heder"].map({"Ja": "true", "Nej": "false"}),
            "police_district": "",
            "municipality_code": source["Kommun"].str.zfill(4),
        }
    ).to_csv(target, index=False, lineterminator="\n")


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a process; its seconds, those of its processors, and its peak memory in GB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[1]} ended with {os.waitstatus_to_exitcode(status)}")
    seconds = time.perf_counter() - began
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20


def tell(name: str, runs: list[tuple[float, float, float]]) -> dict[str, object]:
    seconds, cpu, peak = zip(*runs, strict=True)
    return {
        f"{name}_seconds": [round(one, 2) for one in seconds],
        f"{name}_cpu_seconds": [round(one, 2) for one in cpu],
        f"{name}_peak_gb": round(max(peak), 3),
    }


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def run(n_rows: int, repeats: int, peers: int) -> dict[str, object]:
    """Measure both ways in turn on one source."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "raw").mkdir()
        write_source(folder / "raw", n_rows)
        mapping = folder / "mapping.yaml"
        codes = json.dumps(RELATIONS, ensure_ascii=False)
        mapping.write_text(MAPPING.format(codes=codes), encoding="utf-8")
        ours = [sys.executable, "-m", "revictimisation", "map", str(folder / "raw")]
        ours += ["--to", str(folder / "out"), "--mapping", str(mapping)]
        by_hand = [sys.executable, __file__, "--by-hand", str(folder / "raw")]
        by_hand += ["--to", str(folder / "by_hand.csv")]
        mine = [measure(ours) for _ in range(repeats)]
        theirs = [measure(by_hand) for _ in range(peers)]
        is_same = digest(folder / "out" / "reports.csv") == digest(folder / "by_hand.csv")
        megabytes = (folder / "raw" / "anmalningar.csv").stat().st_size / 2**20
    return {
        "n_rows": n_rows,
        "source_mb": round(megabytes, 1),
        **tell("ours", mine),
        **tell("pandas", theirs),
        "is_same": is_same,
    }


def write_wide(folder: Path, n_columns: int) -> None:
    """Reports with the register's own variables beside: codes, dates, numbers, words, nothing."""
    rng = np.random.default_rng(1)
    rows = np.arange(WIDE_ROWS).astype(str)
    kinds = (
        lambda: rng.choice(list("ABCDEF"), WIDE_ROWS),
        lambda: rng.choice([f"2013-0{month}-1{month}" for month in range(1, 10)], WIDE_ROWS),
        lambda: rng.integers(0, 1000, WIDE_ROWS).astype(str),
        lambda: np.char.add("ord ", rng.integers(0, 6, WIDE_ROWS).astype(str)),
        lambda: np.full(WIDE_ROWS, ""),
    )
    columns = {
        "Diarienummer": np.char.add("K", rows),
        "Målsägande": np.char.add("v", rows),
        "Anmälningsdatum": np.full(WIDE_ROWS, "2013-04-27"),
        "Relation": rng.choice([*RELATIONS], WIDE_ROWS),
    }
    words = ("kön", "ålder", "fråga", "svar", "index", "poäng", "delmängd")
    for number in range(n_columns - len(columns)):
        columns[f"Variabel {words[number % len(words)]} {number}"] = kinds[number % len(kinds)]()
    pd.DataFrame(columns).to_csv(folder / "anmalningar.csv", sep=";", index=False)


def draft_wide(n_columns: int, repeats: int) -> dict[str, object]:
    """Measure the draft of a file with so many columns."""
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "raw"
        raw.mkdir()
        write_wide(raw, n_columns)
        command = [sys.executable, "-m", "revictimisation", "map", str(raw), "--to"]
        runs = [measure([*command, str(Path(name) / f"draft_{one}")]) for one in range(repeats)]
    return {"n_columns": n_columns, "n_rows": WIDE_ROWS, **tell("draft", runs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--columns", type=int, nargs="+", default=[])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", type=int, default=1)
    parser.add_argument("--by-hand", type=Path)
    parser.add_argument("--to", type=Path)
    given = parser.parse_args()
    if given.by_hand:
        map_by_pandas(given.by_hand, given.to)
        return
    commit = name_clean_commit()
    machine = {"cores": os.cpu_count(), "machine": platform.machine()}
    found = {
        "measured_on": dt.date.today().isoformat(),
        "machine": {**machine, "python": platform.python_version()},
        "load_at_start": round(os.getloadavg()[0], 1),
    }
    if given.columns:
        sizes = [draft_wide(one, given.repeats) for one in given.columns]
    else:
        sizes = [run(one, given.repeats, given.peers) for one in given.rows]
    found["sizes"] = sizes
    print(json.dumps(found, indent=2))
    if not all(one.get("is_same", True) for one in sizes):
        raise SystemExit("the two ways do not give the same table")
    keep_result(RESULTS / f"mapping{'_wide' if given.columns else ''}.json", found, commit)


if __name__ == "__main__":
    main()
