"""The one module that reads and writes files."""

from __future__ import annotations

import atexit
import errno
import functools
import hashlib
import io
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from revictimisation.core import interruption, locks, reaper, redaction
from revictimisation.core.errors import UsageError
from revictimisation.core.surroundings import FULL, NO_FOLDER, explain, explained, refuse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CHUNK_BYTES = 1 << 20
MAX_TEXT_BYTES = 16 << 20
PROBE_BYTES = 1 << 16
UNFINISHED = ".unfinished-"  # how the names of what is being written begin
ARCHIVED_AT = (1980, 1, 1, 0, 0, 0)  # of all in an archive: the earliest that a ZIP can tell
LOCK = ".lock"  # in a folder that a process keeps to itself
SCRATCH = "revictimisation-"  # in the system's folder of temporary files
STALE_SECONDS = 60  # of a temporary folder that nobody holds
NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
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


def find_given(path: str | os.PathLike[str]) -> Path:
    """As `find_upwards`, of what must be there; `UsageError` says where it was looked for."""
    found = find_upwards(path)
    if found.exists() or found.is_absolute():
        return found
    raise UsageError(
        f"{path} finns varken i {Path.cwd()} eller i mapparna ovanför. Ange hela sökvägen, eller"
        f' byt först mapp med os.chdir("PROJEKTETS MAPP"). / It is neither in {Path.cwd()}, where'
        " Python runs (a notebook: in its own folder), nor in the folders above. Give the whole"
        ' path, or change the folder first: os.chdir("THE PROJECT\'S FOLDER").'
    )


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

    It is gone when the process ends, also when it is stopped or killed; what a power cut left of
    others goes now.
    """
    try:
        folder = Path(tempfile.gettempdir())
        _clear_scratch(folder)
        while (path := _make_scratch(folder)) is None:
            pass
    except OSError:
        raise refuse(
            "TMPDIR",
            "ingen mapp för tillfälliga filer går att skriva i. Ge TMPDIR (Windows: TEMP) en mapp "
            "med plats",
            "no folder for temporary files can be written to. Set TMPDIR (Windows: TEMP) to one "
            "with room",
        ) from None
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _make_scratch(folder: Path) -> Path | None:
    """A folder that is ours as long as we live; None where another took it for left behind."""
    path = folder / f"{SCRATCH}{secrets.token_hex(4)}"
    remove_at_stop(path)  # before it is there: a kill may come at any moment
    path.mkdir(0o700)
    try:
        return None if locks.seize(path / LOCK) is None else path
    except FileNotFoundError:
        return None


def _clear_scratch(folder: Path) -> None:
    """Remove the temporary folders of this user whose process has ended without doing so."""
    for path in folder.glob(f"{SCRATCH}*"):
        with suppress(OSError):
            if not path.is_dir() or (hasattr(os, "getuid") and path.stat().st_uid != os.getuid()):
                continue
            if (path / LOCK).exists():
                handle = locks.seize(path / LOCK)
                if handle is None:
                    continue
                os.close(handle)
            elif time.time() - path.stat().st_mtime < STALE_SECONDS:
                continue
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder to this process; what a stop by force left unfinished in it is taken away.

    `UsageError` where another process keeps it. The folder is made, and goes again where nothing
    was put into it. Results that may only be read are kept by nobody.
    """
    lock = folder / LOCK
    with explained(folder):
        made = _make_folders(folder)
        try:
            handle = locks.seize(lock)
        except OSError as fault:
            if fault.errno not in NOT_ALLOWED or not list_entries(folder):
                raise
            handle = -1
    if handle is None:
        raise refuse(
            folder,
            "en annan körning skriver där just nu. Vänta tills den är klar eller ange en annan "
            "mapp",
            "another run is writing there. Wait until it has ended or name another folder",
        )
    if handle < 0:
        yield
        return
    _unfinished[lock] = made
    try:
        for path in [*folder.rglob(f"{UNFINISHED}*")]:
            _remove(path)
        yield
    finally:
        locks.release(lock, handle)
        _remove_empty(_unfinished.pop(lock, []))


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


@contextmanager
def private_folder(within: Path | None = None) -> Iterator[str]:
    """A temporary folder that no other user can read; gone when its `with` block ends.

    It lies `within` a folder that is to hold the same rows, else among the temporary files.
    """
    if within is None:
        made = tempfile.TemporaryDirectory(dir=scratch(), ignore_cleanup_errors=True)
    else:
        with explained(within):
            made = tempfile.TemporaryDirectory(
                prefix=UNFINISHED, dir=within, ignore_cleanup_errors=True
            )
        remove_at_stop(Path(made.name))
    with made as path:
        yield path
    _unfinished.pop(Path(path), None)


def remove_at_stop(path: Path) -> None:
    """Take this away too, should the command be stopped or killed."""
    _unfinished[path] = []
    reaper.remove_at_death(path)


@interruption.at_stop
def remove_unfinished() -> None:
    """Take away what is being written, and all temporary files: the command is being stopped."""
    begun = [*reversed(_unfinished)]
    for path in (*begun, *begun):  # the work goes on until the process ends, and may write anew
        _remove(path)


def _remove(path: Path) -> None:
    """Remove what is unfinished, as far as that can be done, and the folders made for it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()
    _remove_empty(_unfinished.pop(path, []))


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # others have put something there
            folder.rmdir()


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A place to write a file at; it takes the place of `path` when it is whole, else it goes.

    What is written is on the disk before it has its name: a power cut leaves the old or the new.
    """
    part = path.with_name(UNFINISHED + path.name)
    with explained(_without_stage(path)):
        made = _unfinished[part] = _make_folders(path.parent)
        try:
            yield part
            _flush(part)
            part.replace(path)
            made.clear()
        finally:
            _remove(part)


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it that are not there; gives those made, the lowest first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _without_stage(path: Path) -> Path:
    """The path where a file will stand, as it is told to people."""
    return Path(*(part for part in path.parts if not part.startswith(UNFINISHED)))


@contextmanager
def fill_folder(folder: Path, *, is_private: bool = False) -> Iterator[Path]:
    """A folder to write files and folders into; they take their places in `folder` all together.

    On any fault, or when the command is stopped, `folder` is as it was, also absent. Files of other
    names that lie in it stay. Where `is_private`, folder and files are their owner's alone.
    """
    with stage_in(folder) as stage:
        yield stage
        if is_private:
            guard_files(stage)
        publish(stage, folder, is_private=is_private)


@contextmanager
def stage_in(folder: Path) -> Iterator[Path]:
    """A folder inside another, only its owner's, that is gone at the end; see `publish`."""
    with explained(folder):
        made = _make_folders(folder)
        stage = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    remove_at_stop(stage)
    _unfinished[stage] = made
    try:
        yield stage
    finally:
        _remove(stage)


def publish(stage: Path, folder: Path, *, is_private: bool = False, last: str = "") -> None:
    """Put all that was gathered into its place, files of the name `last` after all others.

    Folders get no rights that they did not have.
    """
    with explained(folder), interruption.uncut:
        if is_private:
            folder.chmod(0o700)
        for path in sorted(stage.rglob("*"), key=lambda path: (path.name == last, path)):
            target = folder / path.relative_to(stage)
            if path.is_dir():
                target.mkdir(exist_ok=True)
                target.chmod(stat.S_IMODE(target.stat().st_mode & path.stat().st_mode))
            else:
                path.replace(target)
        _unfinished.get(stage, []).clear()


def list_entries(folder: Path) -> list[str]:
    """The names of what lies in a folder, in order; without what a stop by force left unfinished.

    Empty for a folder that is not there. Raises `UsageError` if it is a file or can't be read.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise explain(fault, folder) from None
    return sorted(name for name in names if name != LOCK and not name.startswith(UNFINISHED))


def list_all(folder: Path) -> list[str]:
    """The names of all that lies in a folder, what a stop left unfinished too, in order."""
    with explained(folder):
        return sorted(entry.name for entry in folder.iterdir())


def count_files(path: Path) -> int:
    """How many files a path is or holds, links counted as such and not followed."""
    if path.is_symlink() or not path.is_dir():
        return 1
    return sum(len(names) for _, _, names in os.walk(path))


def remove_paths(paths: Iterable[Path]) -> None:
    """Remove files, links and whole folders; `UsageError` for the first that can't be removed."""
    for path in paths:
        with explained(path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def list_below(folder: Path) -> list[str]:
    """The paths of all files in a folder and below it, inside the folder, in order.

    A link is a file of its own, also one to a folder. Without its lock and what a stop by force
    left unfinished.
    """
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    paths = [path.relative_to(folder) for path in found]
    return sorted(
        path.as_posix()
        for path in paths
        if path.name != LOCK and not any(part.startswith(UNFINISHED) for part in path.parts)
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
    with explained(path):
        path.unlink(missing_ok=True)


def remove_below(folder: Path, names: Iterable[str]) -> None:
    """Remove files by their paths inside a folder, and the folders that they leave empty.

    What lies outside it, by whatever way, is not touched.
    """
    whole = folder.resolve()
    for name in names:
        path = folder / name
        if not name or whole not in (path.parent.resolve(), *path.parent.resolve().parents):
            continue
        remove_file(path)
        _remove_empty(above for above in path.parents if folder in above.parents)


def move_into(path: Path, folder: Path) -> Path:
    """Move a file into a folder of its owner's alone; of the same name there may be more."""
    with explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = (f"{number}-{path.name}" for number in range(1, 1 << 20))
        target = next(folder / name for name in names if not os.path.lexists(folder / name))
        path.replace(target)
    return target


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


def write_text(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write UTF-8 text with Unix line ends, making the folder; the file appears whole or not.

    Nothing of the command's passwords gets into it.
    """
    write_bytes(path, redaction.redact(text).encode("utf-8"), is_private=is_private)


def write_bytes(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Write a file whole or not at all, so that an interrupted run leaves no half a file."""
    with _whole(path) as part:
        part.write_bytes(content)
        if is_private:
            part.chmod(0o600)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None if there is none or it is not whole.

    Raises `PermissionError` for one that may not be read: nobody knows then whether it is whole.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except PermissionError:
        raise
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


def write_json(path: Path, content: Mapping[str, Any], *, is_private: bool = False) -> None:
    """Write a JSON object, readable by people."""
    text = json.dumps(content, ensure_ascii=False, indent=2, default=str)
    write_text(path, text + "\n", is_private=is_private)


def write_table(
    frame: pd.DataFrame,
    folder: Path,
    name: str,
    formats: Iterable[str],
    about: Mapping[str, str] = MappingProxyType({}),
) -> list[Path]:
    """Write a table as `csv` and/or `parquet`, the same bytes for the same content.

    Missing values are empty in CSV and null in Parquet, which tells in its metadata what the table
    is `about`.
    """
    written = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        with _whole(path) as part:
            if kind == "csv":
                frame.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
            else:
                _write_parquet(frame, part, about)
        written.append(path)
    return written


def _write_parquet(frame: pd.DataFrame, path: Path, about: Mapping[str, str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), **about}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)


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


def join_tables(parts: Sequence[Path], folder: Path, name: str) -> Path:
    """Write Parquet tables as one, in their order and one at a time; a row group each at least.

    A column that is empty throughout some part has the type that it has in others.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    schemas = [parquet.read_schema(part).remove_metadata() for part in parts]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    path = folder / f"{name}.parquet"
    with _whole(path) as whole, parquet.ParquetWriter(whole, schema) as writer:
        for part in parts:
            writer.write_table(parquet.read_table(part).cast(schema))
    return path


def read_table(path: Path) -> pd.DataFrame:
    """Read one of our own Parquet tables."""
    import pandas as pd

    return pd.read_parquet(path)


def pack_table(frame: pd.DataFrame) -> bytes:
    """A table as the bytes of a CSV; missing values are empty."""
    return frame.to_csv(index=False, lineterminator="\n").encode("utf-8")


def unpack_table(content: bytes) -> pd.DataFrame:
    """The table of such bytes; empty cells are missing, no others."""
    import pandas as pd

    return pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""])


def pack_archive(contents: Mapping[str, bytes]) -> bytes:
    """A ZIP of these files by name, in their order; the same files give the same bytes."""
    import zipfile

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, ARCHIVED_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # whichever system it is made on
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return whole.getvalue()


def unpack_archive(content: bytes, most_bytes: int) -> dict[str, bytes] | None:
    """The files of a ZIP by name; None for what is none, or holds more than so many bytes."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > most_bytes:
                return None
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError):
        return None


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    digest = hashlib.sha256()
    with explained(path), path.open("rb") as stream:
        while block := stream.read(CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def hash_table(frame: pd.DataFrame) -> str:
    """SHA-256 of a table as it would be written as CSV."""
    text = frame.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def hash_files(
    folder: Path, pattern: str = "**/*", without: tuple[str, ...] = ()
) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path inside the folder, in order.

    `without` those whose names end so.
    """
    paths = sorted(
        path for path in folder.glob(pattern) if not path.name.endswith(without) and path.is_file()
    )
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in paths}


def stamp_files(folder: Path) -> dict[str, tuple[int, ...]]:
    """What changes whenever a file right in a folder is written, moved or exchanged, by name.

    Its number, size, and the moments (ns) of the last change of its content and of its entry.
    """
    found: dict[str, tuple[int, ...]] = {}
    with explained(folder):
        for path in sorted(folder.iterdir()):
            if path.is_file():
                seen = path.stat()
                found[path.name] = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    return found
