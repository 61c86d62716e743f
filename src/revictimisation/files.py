"""The one module that reads and writes files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CHUNK_BYTES = 1 << 20


def resource_dir(name: str) -> Path:
    """Find a folder that comes with the project (`data_dictionary`, `notebooks`, `pipelines`).

    In an installed wheel it lies inside the package, in a checkout at its root.
    """
    package = Path(__file__).parent
    for folder in (package / "resources" / name, package.parent.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the installation is incomplete: {name} is missing")


def package_file(*parts: str) -> Path:
    """Find a file that lies inside the package itself."""
    return Path(__file__).parent.joinpath(*parts)


def read_text(path: Path) -> str:
    """Read a UTF-8 text (with or without byte order mark); `UsageError` if it can't be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"Filen {path} finns inte. / There is no file {path}.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} är en mapp, inte en fil. / It is a folder, not a file.") from None
    except UnicodeDecodeError:
        raise UsageError(
            f"{path} är inte text i UTF-8. Spara om filen (Anteckningar: Spara som, Kodning UTF-8)."
            " / It is no UTF-8 text: save it anew with that encoding."
        ) from None
    except OSError as fault:
        raise UsageError(
            f"{path} går inte att läsa ({type(fault).__name__}). / It can't be read."
        ) from None


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read (0600); `FileExistsError` if it is there."""
    make_folder(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


def is_private(path: Path) -> bool:
    """Whether group and others have no right at all to a file; Windows has no such rights to ask.

    True also of a file that is not there: reading it says so.
    """
    try:
        return os.name == "nt" or path.stat().st_mode & 0o077 == 0
    except OSError:
        return True


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that no other user can read; gone when its `with` block ends."""
    return tempfile.TemporaryDirectory(prefix="revictimisation-")


def make_folder(path: Path) -> None:
    """Make a folder and those above it, if they are not there."""
    path.mkdir(parents=True, exist_ok=True)


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner may read; one that is there is left as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def guard_folder(path: Path) -> None:
    """Make a folder of person rows, or take one over: from now on only its owner may read it."""
    make_private_folder(path)
    path.chmod(0o700)


def guard_files(folder: Path) -> None:
    """Take from group and others every right to what lies in a folder, and below it."""
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; it appears whole or not at all."""
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)


def remove_file(path: Path) -> None:
    """Remove a file that an earlier run of ours wrote; one that is gone is no fault."""
    path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, making the folder; the file appears whole or not."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that an interrupted run leaves no half a file."""
    make_folder(path.parent)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None if there is none or it is not whole."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def read_kept_table(path: Path) -> pd.DataFrame:
    """A table kept in the package: empty cells are missing, no others (`null` is a scenario)."""
    import pandas as pd  # heavy: help answers without it

    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, readable by people."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")


def write_table(frame: pd.DataFrame, folder: Path, name: str, formats: Iterable[str]) -> list[Path]:
    """Write a table as `csv` and/or `parquet`, the same bytes for the same content.

    Missing values are empty in CSV and null in Parquet.
    """
    make_folder(folder)
    written = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        part = path.with_name(path.name + ".part")
        if kind == "csv":
            frame.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
        else:
            frame.to_parquet(part, index=False)
        part.replace(path)
        written.append(path)
    return written


def write_arrow(table: pa.Table, folder: Path, name: str, kind: str) -> Path:
    """Write an Arrow table as `csv` or `parquet`, whole or not at all; missing values are empty."""
    import pyarrow.csv
    import pyarrow.parquet

    make_folder(folder)
    path = folder / f"{name}.{kind}"
    part = path.with_name(path.name + ".part")
    if kind == "csv":
        pyarrow.csv.write_csv(table, part)
    else:
        pyarrow.parquet.write_table(table, part)
    part.replace(path)
    return path


def read_table(path: Path) -> pd.DataFrame:
    """Read one of our own Parquet tables."""
    import pandas as pd

    return pd.read_parquet(path)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def hash_files(folder: Path, pattern: str = "**/*") -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path inside the folder, in order."""
    paths = sorted(path for path in folder.glob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in paths}
