"""The linkage model: how much each agreement speaks for two records being one person (Splink).

Fellegi and Sunter (1969): a field that agrees among the same people with chance m and among
different people with chance u speaks with weight log2(m / u). u comes from random pairs, m from
expectation maximisation within blocks; rare name codes weigh more than common ones (term
frequencies). Splink 5 runs it on the embedded engine; nothing reaches for a network.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from revictimisation.extract.linkage.records import CODES
from revictimisation.plan.parts import Linkage

# Pairs that agree in none of these are never looked at; what that loses is measured on people
# whose number says who they are.
BLOCKS = (
    ("given_name_code", "family_name_code"),
    ("given_name_code", "birth_year"),
    ("family_name_code", "birth_year"),
    ("birth_year", "sex", "municipality_code"),
)
TRAINING_BLOCKS = (BLOCKS[0], BLOCKS[3])
COMPARED = ("birth_year", "sex", "municipality_code", *CODES, "contact_days")
_PRIOR = 1e-4  # only a place to start from: posteriors get a prior of their own
_USED = ["unique_id", *COMPARED]


@contextmanager
def quiet_splink() -> Iterator[None]:
    """No words of Splink's to the terminal: they are for its developers, not about our data."""
    logger = logging.getLogger("splink")
    level = logger.level
    # a level, as those below it in name ask it for theirs: to disable it would leave them talking
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def train_model(police: pd.DataFrame, social: pd.DataFrame, rules: Linkage) -> dict[str, Any]:
    """Estimate m and u from all records of two agencies; the model as Splink's settings.

    Of `rules`: `contact_gap_days`, by which contacts are close, and which random pairs (`seed`,
    `random_pairs`) tell how often different people agree.
    """
    from splink import block_on

    with quiet_splink():
        linker = _make_linker(police, social, _settings(rules.contact_gap_days))
        linker.training.estimate_u_using_random_sampling(
            max_pairs=float(rules.random_pairs),
            seed=rules.seed,
            min_count_per_level=None,
            num_chunks=1,
        )
        for block in TRAINING_BLOCKS:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*block), estimate_without_term_frequencies=True
            )
        model: dict[str, Any] = linker.misc.save_model_to_json()
    # sampling leaves these off
    model |= {"retain_matching_columns": True, "retain_intermediate_calculation_columns": True}
    n_known = len(set(police["unique_id"]) & set(social["unique_id"]))
    return soften(model, 0.5 / (n_known + 1))


def soften(model: dict[str, Any], least: float) -> dict[str, Any]:
    """Let no chance be below `least`: what was never seen among so many is not impossible.

    Half a person among the known links and one more (Jeffreys), or what half of them would be.
    """
    for comparison in model["comparisons"]:
        levels = [one for one in comparison["comparison_levels"] if "m_probability" in one]
        raised = [max(one["m_probability"], least) for one in levels]
        for level, chance in zip(levels, raised, strict=True):
            level["m_probability"] = chance / sum(raised)
    return model


def score_pairs(police: pd.DataFrame, social: pd.DataFrame, model: dict[str, Any]) -> pd.DataFrame:
    """Score the pairs that agree in a block; a row per pair, sorted.

    `police_id`, `social_id`, `weight` (log2 of the Bayes factor, without any prior) and a
    `level_<field>` each: 0 disagrees, higher agrees better, -1 not known to both.
    """
    with quiet_splink():
        linker = _make_linker(police, social, model)
        found = linker.inference.predict(warning_mode="never").as_pandas_dataframe()
    prior = model["probability_two_random_records_match"]
    pairs = pd.DataFrame(
        {
            "police_id": found["unique_id_l"],
            "social_id": found["unique_id_r"],
            "weight": found["match_weight"] - math.log2(prior / (1 - prior)),
            **{f"level_{name}": found[f"gamma_{name}"] for name in COMPARED},
        }
    )
    return pairs.sort_values(["social_id", "police_id"], ignore_index=True)


def _make_linker(police: pd.DataFrame, social: pd.DataFrame, settings: Any) -> Any:
    import duckdb
    from splink import DuckDBAPI, Linker

    config: dict[str, Any] = {
        "threads": 1,  # sums in one order: the same weights on any machine
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    api = DuckDBAPI(duckdb.connect(config=config))
    # Splink calls the table left whose name comes first
    tables = [api.register(_typed(one), dataset_display_name=name)
              for name, one in (("a_police", police), ("b_social", social))]  # fmt: skip
    return Linker(tables, settings, log_level=None)


def _typed(records: pd.DataFrame) -> Any:
    import pyarrow as pa

    kinds = {name: pa.string() for name in _USED}
    kinds |= {"birth_year": pa.int64(), "contact_days": pa.list_(pa.int64())}
    return pa.table({name: pa.array(records[name].tolist(), kind, from_pandas=True)
                     for name, kind in kinds.items()})  # fmt: skip


def _settings(gap_days: Sequence[int]) -> Any:
    import splink.comparison_library as comparisons
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="link_only",
        probability_two_random_records_match=_PRIOR,
        comparisons=[
            _levels("birth_year", ["birth_year_l = birth_year_r",
                                   "abs(birth_year_l - birth_year_r) = 1"]),
            comparisons.ExactMatch("sex"),
            comparisons.ExactMatch("municipality_code"),
            *(comparisons.ExactMatch(name).configure(term_frequency_adjustments=True)
              for name in CODES),
            _levels("contact_days", [f"{_GAP} <= {days}" for days in gap_days]),
        ],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in BLOCKS],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
    )  # fmt: skip


_GAP = (
    "list_min(list_transform(contact_days_l, x -> "
    "list_min(list_transform(contact_days_r, y -> abs(x - y)))))"
)


def _levels(name: str, conditions: list[str]) -> Any:
    import splink.comparison_library as comparisons

    empty = f"{name}_l IS NULL OR {name}_r IS NULL"
    if name == "contact_days":
        empty += " OR len(contact_days_l) = 0 OR len(contact_days_r) = 0"
    levels: list[Any] = [
        {"sql_condition": empty, "label_for_charts": "null", "is_null_level": True}
    ]
    levels += [{"sql_condition": one, "label_for_charts": str(place)}
               for place, one in enumerate(conditions)]  # fmt: skip
    levels.append({"sql_condition": "ELSE", "label_for_charts": "else"})
    return comparisons.CustomComparison(
        output_column_name=name, comparison_levels=levels, comparison_description=name
    )
