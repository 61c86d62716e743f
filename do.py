#!/usr/bin/env python3
"""Set everything up and do one thing, with nothing but Python and pip.

python do.py demo     an invented county, the whole study on it, the pages
python do.py check    format, lint, types, notebooks, tests: all checks
python do.py setup    the environment only
python do.py docs     the documents as one searchable site in build/docs
python do.py carry    fill wheels/, for a machine without a network
python do.py audit    a bill of materials, and whether a locked package has a known hole

Everything lands beside this file: uv in .tools/, the environment in .venv/, results in build/.
Nothing is written to the system's Python. Where a folder wheels/ stands here (made by `carry`),
all packages come from it and nothing from a network.

Syntax here stays readable for old Pythons, so that they get a sentence instead of a traceback.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
WHEELS = ROOT / "wheels"
COUNTY = ROOT / "build" / "county"
OUT = ROOT / "build" / "out"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
STOP_SECONDS = 10
VENV = Path(os.environ.get("UV_PROJECT_ENVIRONMENT", str(ROOT / ".venv")))

DOCS = ROOT / "build" / "docs"
MATERIALS = ROOT / "build" / "materials.cdx.json"
SITE = ("sphinx", "-b", "html", "-W", "--keep-going", "-q", "docs", str(DOCS))
UNUSED = ("-p", "no:nbmake", "-p", "no:anyio")  # plugins that no test asks for, read by each worker
# a worker takes the next file; in the order of tests/conftest.py, not by how many tests it holds
BESIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
# Spark is large and needs Java; Snakemake brings forty packages for clusters
EXTRAS = ("--all-extras", "--no-extra", "spark", "--no-extra", "pipelines")
UV = "uv>=0.13.9,<0.14"
OLDEST = (3, 11, 5)
TOO_NEW = (3, 15)  # the locked packages have no ready builds for it
NAMES = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
HELP = """No suitable Python was found: this one is {here}, needed is 3.11.5 to 3.14.
Install one of these beside it and call this again, or call this with it:
  Windows, macOS   python.org/downloads, winget install Python.Python.3.13, brew install python
  Debian, Ubuntu   apt install python3.13 (or the newest that `apt search python3.1` shows)
  anywhere         conda create -n study python=3.13 && conda activate study
or let uv fetch one into your home folder: set the environment variable
UV_PYTHON_DOWNLOADS=automatic and call this again."""


def main(arguments):
    """Do what the one argument says; the result is the process's exit code."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(__doc__)
        return 2
    python = find_python()
    if python is None:
        print(HELP.format(here=".".join(str(part) for part in sys.version_info[:3])))
        return 1
    before = signal.signal(signal.SIGTERM, stop)
    try:
        uv = find_uv() or install_uv()
        return COMMANDS[arguments[0]](uv, python)
    except subprocess.CalledProcessError as fault:
        shown = " ".join(str(word) for word in fault.cmd)
        print("\nThis step ended with code {}:\n  {}".format(fault.returncode, shown))
        return fault.returncode
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.")
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)


def stop(*_):
    """Take a polite kill as Ctrl-C: the step under way is ended too, not left to go on alone."""
    raise KeyboardInterrupt


def find_python():
    """Say which interpreter to use: this one, one on PATH, one that uv may fetch; or None."""
    if OLDEST <= sys.version_info[:3] < TOO_NEW:
        return getattr(sys, "_base_executable", None) or sys.executable
    for name in NAMES:
        command = shutil.which(name)
        python = ask_where(command) if command else None
        if python:
            return python
    return "3.13" if os.environ.get("UV_PYTHON_DOWNLOADS", "never") != "never" else None


def ask_where(command):
    """Ask an interpreter for its own path; None if it does not run or its version does not fit."""
    fits = "{} <= sys.version_info[:3] < {}".format(OLDEST, TOO_NEW)
    question = "import sys; print(sys.executable) if {} else sys.exit(1)".format(fits)
    try:
        answer = subprocess.check_output([command, "-c", question], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.fsdecode(answer).strip()


def find_uv():
    """Find the uv that an earlier call installed; None if there is none."""
    for place in ("bin/uv", "bin/uv.exe", "Scripts/uv.exe"):
        if (TOOLS / place).is_file():
            return str(TOOLS / place)
    return None


def install_uv():
    """Install uv into .tools/; pip allows a folder of one's own also where PEP 668 holds."""
    print("Installing uv into {} ...".format(TOOLS.name))
    source = ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []
    run([sys.executable, "-m", "pip", "install", "-q", "--target", str(TOOLS), *source, UV])
    uv = find_uv()
    if uv is None:
        raise SystemExit("pip put no uv into {}: delete the folder and try again.".format(TOOLS))
    return uv


def environment():
    """Give the variables for every step: no fetched Pythons unless asked for, no foreign paths."""
    env = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    env.setdefault("UV_PYTHON_DOWNLOADS", "never")
    env.update(UV_PROJECT_ENVIRONMENT=str(VENV), PYTHONUTF8="1")
    env.update(PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PIP_ROOT_USER_ACTION="ignore")
    env.update(PIP_DISABLE_PIP_VERSION_CHECK="1")
    # each step is many processes: the first that compiles a module keeps it for the others
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def run(command):
    """Run a step in the project's folder; `CalledProcessError` if it fails."""
    code = finish(subprocess.Popen(command, cwd=str(ROOT), env=environment()))
    if code:
        raise subprocess.CalledProcessError(code, command)


def finish(process):
    """Wait for a step to end and give its code; when we are stopped, see that it ends first.

    It gets Ctrl-C from the terminal as we do, and needs a moment to take away what is unfinished.
    """
    try:
        return process.wait()
    except KeyboardInterrupt:
        end_step(process)
        raise


def end_step(process):
    """End a step: ask it, wait, and end it by force where it does not."""
    try:
        process.terminate()
        process.wait(STOP_SECONDS)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


def program(name):
    """Say where a program of the environment lies."""
    return str(VENV / "Scripts" / (name + ".exe") if os.name == "nt" else VENV / "bin" / name)


def setup(uv, python):
    """Make the environment and try it out."""
    install(uv, python)
    return try_out()


def install(uv, python):
    """Make the environment exactly as locked, from wheels/ if it is there.

    Modules are compiled as they are imported: a run needs one in five.
    """
    if not WHEELS.is_dir():
        run([uv, "sync", "--frozen", *EXTRAS, "--python", python])
        return
    here = ["--python", str(VENV), "--offline", "--no-index", "--find-links", str(WHEELS)]
    run([uv, "venv", "--allow-existing", "--offline", "--python", python, str(VENV)])
    # wheels that were built from a source archive differ from its hash: checked when carried
    locked = ["--no-verify-hashes", "-r", str(WHEELS / "requirements.txt")]
    run([uv, "pip", "install", *here, *locked])
    run([uv, "pip", "install", *here, "--no-deps", "--editable", str(ROOT)])


def try_out():
    """End an installation with a small study: it shows that all works and compiles the numerics.

    It asks what the main study asks, of fewer measures and groups, and draws two replicates: what
    that calls is compiled then.
    """
    done = VENV / "tried_out"
    if done.exists():
        return 0
    with tempfile.TemporaryDirectory() as folder:
        study, data, out = (str(Path(folder, name)) for name in ("study.yaml", "data", "out"))
        Path(study).write_text(shorten(STUDY.read_text(encoding="utf-8")), encoding="utf-8")
        command = program("revictimisation")
        run([command, "simulate", data, "--scenario", "small"])
        run([command, "estimate", study, "--data", data, "--out", out])
    done.touch()
    return 0


def shorten(text):
    """Leave measures and groups out of the main study's file, and most replicates."""
    left_out = ("alarm_package:", "safety_talk:", "contact_person:")
    lines = [line for line in text.splitlines() if not line.strip().startswith(left_out)]
    lines = ["subgroups: [sex]" if line.startswith("subgroups:") else line for line in lines]
    return "\n".join(lines).replace("replicates: 200", "replicates: 2") + "\n"


def demo(uv, python):
    """Make the invented county, run the study on it and say where the pages are."""
    setup(uv, python)
    study = program("revictimisation")
    if (COUNTY / "truth.csv").is_file():
        print("Kept the county in {} (delete it to have it made anew).".format(COUNTY))
    else:
        run([study, "simulate", str(COUNTY), "--people", "12000", "--seed", "1"])
    run([study, "run", str(STUDY), "--data", str(COUNTY), "--out", str(OUT)])
    site = OUT / "site" / "index.html"
    if not site.is_file():
        print("The run ended without pages: {} is missing.".format(site))
        return 1
    print("\nThe pages: {}\n{}".format(site, site.as_uri()))
    return 0


def check(uv, python):
    """Run every check, also after one has failed; code 1 if any failed."""
    install(uv, python)
    notebooks = sorted(str(path) for path in (ROOT / "notebooks").rglob("*.ipynb"))
    checks = {
        "format": ["ruff", "format", "--check", "."],
        "lint": ["ruff", "check", "."],
        "stored notebooks": ["nbstripout", "--keep-id", "--verify", *notebooks],
        "documents": SITE,
        "tests": ["pytest", *UNUSED, *BESIDE],
    }
    held = {}

    def do_others():
        held.update((name, passes(name, words)) for name, words in checks.items())

    # on one core, as are those before the tests: no core waits for either
    held["types"] = passes_beside("types", ["mypy"], do_others)
    failed = [name for name, is_held in held.items() if not is_held]
    print("\nFailed: {}.".format(", ".join(failed)) if failed else "\nAll checks passed.")
    return 1 if failed else 0


def passes(name, words):
    """Run one check and say whether it held."""
    print("\n== " + name, flush=True)
    return finish(begin([program("python"), "-m", *words])) == 0


def passes_beside(name, words, deed):
    """Run one check while `deed` is done; what it has to say comes at the end, unmixed."""
    with tempfile.TemporaryFile() as told:
        process = begin([program("python"), "-m", *words], stdout=told, stderr=subprocess.STDOUT)
        try:
            deed()
        except BaseException:
            end_step(process)
            raise
        code = finish(process)
        told.seek(0)
        print("\n== {}\n{}".format(name, told.read().decode("utf-8", "replace")), flush=True)
    return code == 0


def begin(command, **streams):
    """Start a check; it has nobody to ask."""
    return subprocess.Popen(
        command, cwd=str(ROOT), env=environment(), stdin=subprocess.DEVNULL, **streams
    )


def carry(uv, python):
    """Fill wheels/ with all that `setup` needs, for the same system and version of Python."""
    WHEELS.mkdir(exist_ok=True)
    locked = WHEELS / "requirements.txt"
    exported = [uv, "export", "-q", "--frozen", *EXTRAS, "--no-emit-project"]
    run([*exported, "--output-file", str(locked)])
    wheel = [python, "-m", "pip", "wheel", "--wheel-dir", str(WHEELS)]
    run([*wheel, "--require-hashes", "-r", str(locked)])
    run([*wheel, UV, "hatchling>=1.27", "editables>=0.3"])
    print("\nCarry this whole folder, with wheels/ and without .venv/ and .tools/.")
    return 0


def audit(uv, python):
    """List every locked package with its hashes (CycloneDX), then ask for known holes (osv.dev)."""
    MATERIALS.parent.mkdir(exist_ok=True)
    whole = ["--frozen", *EXTRAS, "--no-dev", "--no-emit-project"]
    run([uv, "export", "-q", *whole, "--format", "cyclonedx1.5", "--output-file", str(MATERIALS)])
    print("The bill of materials: {}".format(MATERIALS), flush=True)
    code = finish(begin([uv, "audit", "--frozen"]))
    if code:
        print("\nA hole is known (above), or osv.dev could not be asked: it needs a network.")
        print("Without one, take the bill of materials to a machine that has, and ask there.")
    return code


def docs(uv, python):
    """Build the documents as one searchable site, without a network."""
    install(uv, python)
    if not passes("documents", SITE):
        return 1
    print("\nThe documents: {}".format((DOCS / "index.html").as_uri()))
    return 0


COMMANDS = {
    "demo": demo,
    "check": check,
    "setup": setup,
    "docs": docs,
    "carry": carry,
    "audit": audit,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
