"""The one module that reads and writes files."""

from __future__ import annotations

import atexit
import functools
import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revictimisation.core import interruption
from revictimisation.core.errors import UsageError
from revictimisation.core.surroundings import FULL, NO_FOLDER, explain, explained, refuse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CHUNK_BYTES = 1 << 20
MAX_TEXT_BYTES = 16 << 20
PROBE_BYTES = 1 << 16
UNFINISHED = ".unfinished-"  # what a folder's new files are gathered in, inside that folder
# What is being written, each with the folders made for it, to be taken away if need be.
_unfinished: dict[Path, list[Path]] = {}


def resource_dir(name: str) -> Path:
    """Find a folder that comes with the project (`data_dictionary`, `notebooks`, `pipelines`).

    In an installed wheel it lies inside the package, in a checkout at its root.
    """
    package = package_file()
    for folder in (package / "resources" / name, package.parent.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the installation is incomplete: {name} is missing")


def package_file(*parts: str) -> Path:
    """Find a file that lies inside the package itself."""
    return Path(__file__).parent.parent.joinpath(*parts)


def find_upwards(path: str | os.PathLike[str]) -> Path:
    """Find a path from the working folder or the nearest folder above that has it."""
    given = Path(path)
    places = (given, *(folder / given for folder in Path.cwd().parents))
    return next((place for place in places if place.exists()), given)


def make_folder(path: Path) -> Path:
    """Make a folder, and those above it, where it is missing; `UsageError` if it can't be."""
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def read_text(path: Path) -> str:
    """Read a UTF-8 text (with or without byte order mark); `UsageError` if it can't be read.

    Texts are settings, keys and our own words: a file without end is not read to its end.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            raise UsageError(f"{path} är för stor för en sådan fil. / It is too large a file.")
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise UsageError(
            f"{path} är inte text i UTF-8. Spara om filen (Anteckningar: Spara som, Kodning UTF-8)."
            " / It is no UTF-8 text: save it anew with that encoding."
        ) from None
    except OSError as fault:
        raise explain(fault, path) from None


def write_private(path: Path, text: str) -> bool:
    """Write a new file that only its owner can read (0600), whole or not at all.

    False, and nothing is written, if it is there.
    """
    with explained(path):
        made = _make_folders(path.parent)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        _unfinished[path] = made
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except BaseException:
            _remove(path)
            raise
        _unfinished.pop(path)
    return True


def is_private(path: Path) -> bool:
    """Whether group and others have no right at all to a file; Windows has no such rights to ask.

    True also of a file that is not there: reading it says so.
    """
    try:
        return os.name == "nt" or path.stat().st_mode & 0o077 == 0
    except OSError:
        return True


@functools.cache
def scratch() -> Path:
    """The folder of this process's temporary files, which no other user can read.

    It is gone when the process ends, also when it is stopped.
    """
    try:
        path = Path(tempfile.mkdtemp(prefix="revictimisation-"))
    except OSError:
        raise refuse(
            "TMPDIR",
            "ingen mapp för tillfälliga filer går att skriva i. Ge TMPDIR (Windows: TEMP) en mapp "
            "med plats",
            "no folder for temporary files can be written to. Set TMPDIR (Windows: TEMP) to one "
            "with room",
        ) from None
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    _unfinished[path] = []
    return path


def find_cache() -> None:
    """See that compiled loops can be kept: beside the package or in the user's home, which is the
    compiler's own choice; where neither can be written to, for this process alone.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    for folder in (package_file(), Path(os.path.expanduser("~"))):
        with suppress(UsageError):
            return check_room(folder, 0)
    os.environ["NUMBA_CACHE_DIR"] = str(scratch())


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that no other user can read; gone when its `with` block ends."""
    return tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True)


def remove_at_stop(path: Path) -> None:
    """Take this away too, should the command be stopped."""
    _unfinished[path] = []


@interruption.at_stop
def remove_unfinished() -> None:
    """Take away what is being written, and all temporary files: the command is being stopped."""
    begun = [*_unfinished]
    for path in (*begun, *begun):  # the work goes on until the process ends, and may write anew
        _remove(path)


def _remove(path: Path) -> None:
    """Remove what is unfinished, as far as that can be done, and the folders made for it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()
    for folder in _unfinished.pop(path, []):
        with suppress(OSError):  # others have put something there
            folder.rmdir()


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A place to write a file at; it takes the place of `path` when it is whole, else it goes."""
    part = path.with_name(path.name + ".part")
    with explained(_without_stage(path)):
        made = _unfinished[part] = _make_folders(path.parent)
        try:
            yield part
            part.replace(path)
            made.clear()
        finally:
            _remove(part)


def _make_folders(folder: Path, mode: int = 0o777) -> list[Path]:
    """Make a folder and those above it that are not there; gives those made, the lowest first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode, parents=True, exist_ok=True)
    return missing


def _without_stage(path: Path) -> Path:
    """The path where a file will stand, as it is told to people."""
    return Path(*(part for part in path.parts if not part.startswith(UNFINISHED)))


@contextmanager
def fill_folder(folder: Path, *, is_private: bool = False) -> Iterator[Path]:
    """A folder to write files and folders into; they take their places in `folder` all together.

    On any fault, or when the command is stopped, `folder` is as it was, also absent. Files of other
    names that lie in it stay. A folder made here is its owner's alone where `is_private`.
    """
    with explained(folder):
        made = _make_folders(folder, 0o700 if is_private else 0o777)
        stage = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    _unfinished[stage] = made
    try:
        yield stage
        with explained(folder), interruption.uncut:
            _publish(stage, folder)
            made.clear()
    finally:
        _remove(stage)


def _publish(stage: Path, folder: Path) -> None:
    """Put all that was gathered into its place."""
    for path in sorted(stage.rglob("*")):
        target = folder / path.relative_to(stage)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            path.replace(target)


def list_entries(folder: Path) -> list[str]:
    """The names of what lies in a folder, in order; without what a stop by force left unfinished.

    Empty for a folder that is not there. Raises `UsageError` if it is a file or can't be read.
    """
    try:
        return sorted(e.name for e in folder.iterdir() if not e.name.startswith(UNFINISHED))
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise explain(fault, folder) from None


def list_below(folder: Path) -> list[str]:
    """The paths of all files in a folder and below it, inside the folder, in order."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def check_room(folder: Path, n_bytes: int) -> None:
    """Raise `UsageError` unless so much can be written to a folder that is there or can be made.

    Nothing of the probe stays.
    """
    with explained(folder):
        above = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
        if not above.is_dir():
            raise refuse(above, *NO_FOLDER)
        with explained(above):
            with tempfile.TemporaryFile(dir=above) as probe:
                probe.write(bytes(PROBE_BYTES))
            space = shutil.disk_usage(above)
            if space.total and space.free < n_bytes:
                sv, en = FULL
                needed = f"{max(1, n_bytes >> 20)} MB"
                raise refuse(above, f"{needed} behövs, och {sv}", f"{needed} is needed, and {en}")


def check_folder(folder: Path) -> None:
    """Raise `UsageError` unless a folder that is to be read is there, and may be looked into."""
    with explained(folder):
        next(folder.iterdir(), None)


def check_readable(paths: Iterable[Path]) -> None:
    """Raise `UsageError` unless files can be read; every one that can't is told at once."""
    faults = [fault for path in paths for fault in _try_reading(path)]
    if faults:
        raise UsageError("\n".join(faults))


def _try_reading(path: Path) -> Iterator[str]:
    """Why a file can't be read, if it can't."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            path.open("rb").close()
        elif not stat.S_ISDIR(kind):
            yield str(refuse(path, "det är ingen vanlig fil", "it is no ordinary file"))
    except OSError as fault:
        yield str(explain(fault, path))


def guard_files(folder: Path) -> None:
    """Take from group and others every right to a folder and to what lies in it and below it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; it appears whole or not at all."""
    with _whole(target) as part:
        shutil.copyfile(source, part)


def remove_file(path: Path) -> None:
    """Remove a file that an earlier run of ours wrote; one that is gone is no fault."""
    path.unlink(missing_ok=True)


def silence() -> None:
    """From here on nothing that this process says is seen on its terminal."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def read_bytes(path: Path) -> bytes:
    """Read a file as it is."""
    return path.read_bytes()


def write_shared(path: Path, data: bytes) -> None:
    """Write a file that other processes may be writing at the same time, whole; the last stays."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(data)
    Path(part.name).replace(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, making the folder; the file appears whole or not."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that an interrupted run leaves no half a file."""
    with _whole(path) as part:
        part.write_bytes(content)


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


def read_text_table(path: Path) -> pd.DataFrame:
    """A CSV of an extract, every cell as text; as UTF-8 or else Windows-1252, with `,` or `;`."""
    import pandas as pd

    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    return pd.read_csv(io.StringIO(text), dtype=str, sep=separator, on_bad_lines="skip")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, readable by people."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")


def write_table(frame: pd.DataFrame, folder: Path, name: str, formats: Iterable[str]) -> list[Path]:
    """Write a table as `csv` and/or `parquet`, the same bytes for the same content.

    Missing values are empty in CSV and null in Parquet.
    """
    written = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        with _whole(path) as part:
            if kind == "csv":
                frame.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
            else:
                frame.to_parquet(part, index=False)
        written.append(path)
    return written


def write_arrow(table: pa.Table, folder: Path, name: str, kind: str) -> Path:
    """Write an Arrow table as `csv` or `parquet`, whole or not at all; missing values are empty."""
    import pyarrow.csv
    import pyarrow.parquet

    path = folder / f"{name}.{kind}"
    with _whole(path) as part:
        if kind == "csv":
            pyarrow.csv.write_csv(table, part)
        else:
            pyarrow.parquet.write_table(table, part)
    return path


def read_table(path: Path) -> pd.DataFrame:
    """Read one of our own Parquet tables."""
    import pandas as pd

    return pd.read_parquet(path)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    digest = hashlib.sha256()
    with explained(path), path.open("rb") as stream:
        while block := stream.read(CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def hash_files(folder: Path, pattern: str = "**/*") -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path inside the folder, in order."""
    paths = sorted(path for path in folder.glob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in paths}
