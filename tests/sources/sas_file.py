"""Writes a small SAS file by ReadStat's own writer, which pyreadstat carries but does not offer."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

STRING, DOUBLE = 0, 5
WRITE = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


def load_writer() -> ctypes.CDLL | None:
    """ReadStat as it lies in pyreadstat; None where the library does not show its functions."""
    from pyreadstat import _readstat_writer

    library = ctypes.CDLL(_readstat_writer.__file__)
    if not hasattr(library, "readstat_begin_writing_sas7bdat"):
        return None
    for name in ("writer_init", "add_variable", "get_variable"):
        getattr(library, f"readstat_{name}").restype = ctypes.c_void_p
    return library


def write_sas(path: Path, columns: Mapping[str, Sequence[str | float | None]], formats=None):
    """Write columns of text or numbers; `formats` gives a column's SAS format, such as DATE9."""
    lib = load_writer()
    assert lib is not None
    content = bytearray()

    def keep(data, length, _):
        content.extend(ctypes.string_at(data, length))
        return length

    kept = WRITE(keep)
    writer = ctypes.c_void_p(lib.readstat_writer_init())
    lib.readstat_set_data_writer(writer, kept)
    variables = []
    for name, cells in columns.items():
        is_text = any(isinstance(cell, str) for cell in cells)
        width = max([len(str(cell or "").encode()) for cell in cells] + [1]) if is_text else 8
        kind = STRING if is_text else DOUBLE
        one = ctypes.c_void_p(
            lib.readstat_add_variable(writer, name.encode(), kind, ctypes.c_size_t(width))
        )
        if formats and name in formats:
            lib.readstat_variable_set_format(one, formats[name].encode())
        variables.append((one, is_text, cells))
    n_rows = len(next(iter(columns.values())))
    assert lib.readstat_begin_writing_sas7bdat(writer, None, ctypes.c_long(n_rows)) == 0
    for row in range(n_rows):
        lib.readstat_begin_row(writer)
        for one, is_text, cells in variables:
            cell = cells[row]
            if cell is None:
                code = lib.readstat_insert_missing_value(writer, one)
            elif is_text:
                code = lib.readstat_insert_string_value(writer, one, str(cell).encode())
            else:
                number = ctypes.c_double(float(cell))
                code = lib.readstat_insert_double_value(writer, one, number)
            assert code == 0
        assert lib.readstat_end_row(writer) == 0
    assert lib.readstat_end_writing(writer) == 0
    lib.readstat_writer_free(writer)
    path.write_bytes(bytes(content))
