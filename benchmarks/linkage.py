"""How well the linkage does on the dirty county, whose true links are known.

python benchmarks/linkage.py [--people 3000] [--seeds 1 2 3] [--out benchmarks/results/linkage.json]

Links that can be made: both agencies have the person in their file. Those whom the police's file
lacks (`n_absent`) are counted apart, beside how many of them were expected.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import tempfile
import time
from pathlib import Path

import pandas as pd

from revictimisation import __version__
from revictimisation.commands.link import link_folders
from revictimisation.commands.pseudonymise import PseudonymOptions, pseudonymise_folder
from revictimisation.commands.simulate import simulate_to
from revictimisation.extract.pseudonyms.keys import make_key, write_key

RENAMED = {
    "personnummer": "person_id",
    "personnummer_utsatt": "victim_id",
    "personnummer_misstankt": "suspect_id",
    "fodelsear": "birth_year",
    "kon": "sex",
    "kommunkod": "municipality_code",
    "avliden_datum": "died_on",
    "utflyttad_datum": "emigrated_on",
    "skyddad_identitet": "protected_identity",
    "fornamn": "given_name",
    "efternamn": "family_name",
    "diarienummer": "report_id",
    "anmald_datum": "reported_on",
    "brott_fran": "offence_from_on",
    "brottskod": "offence_code",
    "heder": "is_honour",
    "polisdistrikt": "police_district",
    "bedomd_datum": "assessed_on",
    "riskniva": "risk_level",
    "delad_datum": "shared_on",
    "myndighet": "agency",
    "beslutsdatum": "decided_on",
    "beslut": "decision",
    "fran_datum": "start_on",
    "till_datum": "end_on",
    "slutorsak": "end_reason",
    "lagrum": "legal_basis",
    "atgard": "measure",
    "insats": "intervention",
    "bedomning_id": "assessment_id",
}
OWN_ID = {"police_measures": "measure_id", "social_interventions": "intervention_id",
          "suspect_interventions": "intervention_id"}  # fmt: skip


def map_agency(raw: Path, out: Path) -> None:
    """Give an agency's raw files the contract's names; who has no number keeps the file's id."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(raw.glob("*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame = frame.rename(columns={**RENAMED, "beslut_id": OWN_ID.get(path.stem, "beslut_id")})
        if path.stem == "persons":
            frame["person_id"] = frame["person_id"].mask(
                frame["person_id"].eq(""), frame["post_id"]
            )
        frame.to_csv(out / path.name, index=False)


NAMES = {"police": "police", "social": "municipality"}
UNUSED = ("post_id", "forsta_kontakt", "senaste_kontakt")
STUDY = "name: dirty\nlinkage: {{is_on: true, threshold: {threshold}}}\n"


def main() -> None:
    """Measure over several seeds and write what was found."""
    from keeping import keep_result, name_clean_commit  # tests import this module from elsewhere

    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--people", type=int, default=3000)
    ask.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    ask.add_argument("--threshold", type=float, default=0.9)
    ask.add_argument("--out", type=Path, default=Path("benchmarks/results/linkage.json"))
    given = ask.parse_args()
    commit, found = name_clean_commit(), []
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder), given.people, seed, given.threshold))
        print(json.dumps(found[-1]))
    whole = sum_up(found)
    print(json.dumps(whole, indent=2))
    asked = {
        "command": f"python benchmarks/linkage.py --seeds {' '.join(map(str, given.seeds))}",
        "version": __version__, "python": platform.python_version(),
        "people": given.people, "seeds": given.seeds, "threshold": given.threshold,
    }  # fmt: skip
    keep_result(given.out, {**asked, "all": whole, "by_seed": found}, commit)


def measure(folder: Path, people: int, seed: int, threshold: float) -> dict[str, float]:
    """One county: simulated, pseudonymised by two agencies, linked, held against the truth."""
    simulate_to(folder / "county", people, seed, "dirty", "csv")
    write_key(folder / "custody" / "key", make_key("dirty"))
    for name, agency in NAMES.items():
        map_agency(folder / "county" / "raw" / agency, folder / "mapped" / name)
        wishes = PseudonymOptions(dt.date(2018, 12, 31), UNUSED, name, False, True)
        pseudonymise_folder(
            folder / "mapped" / name, folder / name, folder / "custody" / "key", wishes
        )
    (folder / "study.yaml").write_text(STUDY.format(threshold=threshold))
    began, used = time.perf_counter(), time.process_time()
    link_folders(folder / "police", folder / "social", folder / "study.yaml", folder / "joined")
    took, used = time.perf_counter() - began, time.process_time() - used
    rates = json.loads((folder / "joined" / "linkage.json").read_text())["rates"]
    truth = find_truth(folder)
    links = pd.read_csv(folder / "joined" / "linkage" / "links.csv")
    probable = links[links["kind"].eq("probability")]
    pairs = set(zip(probable["social_id"], probable["police_id"], strict=True))
    missed = {end: rates[f"missed_link_rate_by_probability{end}"] for end in ("", "_low", "_high")}
    true_missed = 1 - len(pairs & truth) / len(truth)
    return {
        "seed": seed, "n_true": len(truth), "n_links": len(pairs), "n_right": len(pairs & truth),
        "estimated_false": rates["false_link_rate_by_probability"],
        "true_missed": true_missed, "estimated_missed": missed[""],
        "low": missed["_low"], "high": missed["_high"],
        "is_held": missed["_low"] <= true_missed <= missed["_high"],
        "checked_missed": rates["checked_missed_link_rate"],
        "n_expected": rates["n_expected_without_number"],
        "n_absent": count_absent(folder),
        "n_absent_expected": rates["n_links_lost_to_not_in_persons"],
        "seconds": round(took, 1), "cpu_seconds": round(used, 1),
    }  # fmt: skip


def read_truth(folder: Path) -> pd.DataFrame:
    """Who is who in the county of this folder."""
    return pd.read_csv(folder / "county" / "truth_links.csv", dtype=str)


def count_absent(folder: Path) -> int:
    """Links that nothing can find: the police's person file lacks the person, and the number."""
    truth = read_truth(folder)
    return int((truth["link"].isin(["shared", "number"]) & truth["police_record"].isna()).sum())


def find_truth(folder: Path) -> set[tuple[str, str]]:
    """The pairs of pseudonyms to be found only by what is shared; both in the agencies' files."""
    truth = read_truth(folder)
    truth = truth[truth["link"].eq("shared") & truth["police_record"].notna()]
    ids = {}
    for name, agency in NAMES.items():
        raw = pd.read_csv(folder / "mapped" / name / "persons.csv", dtype=str)
        made = pd.read_csv(folder / name / "persons.csv", dtype=str)
        ids[agency] = dict(zip(raw["post_id"], made["person_id"], strict=True))
    social = truth["social_record"].map(ids["municipality"])
    police = truth["police_record"].map(ids["police"])
    return set(zip(social, police, strict=True))


def sum_up(found: list[dict[str, float]]) -> dict[str, float]:
    """Precision and recall over all counties, and the estimated rates beside the true ones.

    Also in how many the true missed rate lies within the limits told.
    """
    n_true, n_links, n_right = (
        sum(one[name] for one in found) for name in ("n_true", "n_links", "n_right")
    )
    return {
        "precision": n_right / n_links,
        "recall": n_right / n_true,
        "true_false_link_rate": 1 - n_right / n_links,
        "estimated_false_link_rate": sum(
            one["estimated_false"] * one["n_links"] for one in found
        ) / n_links,
        "true_missed_link_rate": 1 - n_right / n_true,
        "estimated_missed_link_rate": 1 - sum(
            (1 - one["estimated_missed"]) * one["n_expected"] for one in found
        ) / sum(one["n_expected"] for one in found),
        "counties_whose_limits_hold_the_truth": sum(one["is_held"] for one in found),
        **{name: sum(one[name] for one in found) for name in ("n_absent", "n_absent_expected")},
        "n_true": n_true,
        "n_expected": sum(one["n_expected"] for one in found),
    }  # fmt: skip


if __name__ == "__main__":
    main()
