"""What people without a valid number may later be linked by: keyed codes of how names sound."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.extract.pseudonyms.keys import StudyKey
from revictimisation.extract.pseudonyms.phonetics import code_name

LINKAGE_TABLE = "linkage_fields"
NAME_PARTS = ("given_name", "family_name")


def make_linkage_fields(
    made: pa.Table, raw: pa.Table, columns: Mapping[str, str], key: StudyKey
) -> pa.Table:
    """A row per row of `persons`: its pseudonym and the keyed sound of each part of the name.

    `columns` says which raw column holds which part. A name not given has an empty code. Codes of
    one part can't be compared with those of the other. How often a code occurs still shows: a
    common name can be guessed by its share, so the table is for linkage only and is deleted then.
    """
    fields = {"person_id": made.column("person_id")}
    for part in NAME_PARTS:
        fields[f"{part}_code"] = (
            _encode(raw.column(columns[part]), part, key)
            if part in columns
            else pa.nulls(len(made), pa.string())
        )
    return pa.table(fields)


def _encode(names: pa.ChunkedArray, part: str, key: StudyKey) -> pa.Array:
    texts = pc.fill_null(pc.cast(names, pa.string()), "")
    distinct = pc.unique(texts)
    sounds = [code_name(one) for one in distinct.to_pylist()]
    codes = key.make_pseudonyms(f"sound\x1f{part}", sounds, "n")
    shown = pa.array([code if sound else None for code, sound in zip(codes, sounds, strict=True)])
    return shown.cast(pa.string()).take(pc.index_in(texts, value_set=distinct).combine_chunks())
