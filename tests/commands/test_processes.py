"""Processes beside ours, and notebooks executed in them as a kernel of JupyterLab executes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from revictimisation.commands import processes
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
from revictimisation.core.errors import RevictimisationError, UsageError

PARAMETERS = {"tags": ["parameters"]}


def write_notebook(path: Path, *cells: str) -> NotebookTask:
    code = {"cell_type": "code", "execution_count": None, "outputs": []}
    made = [{**code, "id": "first", "metadata": PARAMETERS, "source": 'word = "no"'}]
    made += [{**code, "id": f"cell{number}", "metadata": {}, "source": cell}
             for number, cell in enumerate(cells)]  # fmt: skip
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    book = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book), encoding="utf-8")
    return NotebookTask(path, path.with_name("target.ipynb"), {"word": "yes"})


def read_outputs(path: Path) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", ())]


def test_what_a_function_gives_or_raises_comes_back():
    assert processes.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ValueError, match="invalid literal"):
        processes.call(int, "x")
    with pytest.raises(RevictimisationError, match="ended"):
        processes.call(os._exit, 3)
    assert processes.call(os.getpid) != os.getpid()


def test_a_notebook_has_its_parameters_and_its_pictures(tmp_path):
    cells = ("word", "print(word)", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    made = execute_notebook(write_notebook(tmp_path / "book.ipynb", *cells), tmp_path)
    value, said, picture = read_outputs(made)
    assert value["output_type"] == "execute_result"
    assert "".join(value["data"]["text/plain"]) == "'yes'"
    assert said["name"] == "stdout" and "".join(said["text"]) == "yes\n"
    assert "image/png" in picture["data"]


TOLD = """
import random, great_tables, pandas
class Thing: pass
great_tables.GT(pandas.DataFrame({"a": [random.random()]}))
"""
ALONE = """
import sys
from pathlib import Path
from revictimisation.commands.notebooks import NotebookTask, execute_notebook
if __name__ == "__main__":
    place = Path(sys.argv[1])
    book, target = place.parent / "book.ipynb", place / "target.ipynb"
    task = NotebookTask(book, target, {"word": "a"}, {"word": place})
    execute_notebook(task, place, {"run": "7"})
"""


def test_a_notebook_is_the_same_bytes_anywhere_and_tells_no_place(tmp_path):
    """Another folder, time zone, language and home; what it is about stands in its metadata."""
    task = write_notebook(tmp_path / "book.ipynb", TOLD, "Thing()", "print(word[:1])")
    (tmp_path / "a").mkdir()
    (tmp_path / "other").mkdir()
    task = NotebookTask(task.source, task.target, {"word": "a"}, {"word": tmp_path / "a"})
    made = [execute_notebook(task, tmp_path / "a", {"run": "7"}).read_bytes()]
    (tmp_path / "alone.py").write_text(ALONE)
    there = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "LANGUAGE": "sv", "HOME": "/",
             "PYTHONPATH": os.pathsep.join(sys.path)}  # fmt: skip
    words = [sys.executable, tmp_path / "alone.py", tmp_path / "other"]
    subprocess.run(words, env=there, cwd=tmp_path / "other", check=True)
    made.append((tmp_path / "other" / "target.ipynb").read_bytes())
    assert made[0] == made[1] and b"gt_table" in made[0] and b"<__main__.Thing>" in made[0]
    assert read_outputs(tmp_path / "a" / "target.ipynb")[-1]["text"] == ["/\n"]
    book = json.loads(made[0])
    assert book["metadata"]["run"] == "7" and "papermill" not in book["metadata"]
    for place in (str(tmp_path), str(Path.home()), sys.prefix, os.getcwd()):
        assert place not in made[0].decode()
    assert 'word = "a"' in "".join(book["cells"][1]["source"])
    assert "start_time" not in made[0].decode() and "iopub" not in made[0].decode()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="ports are listed in /proc")
def test_a_kernel_opens_no_port(tmp_path):
    cell = """
import os
open_ones = set()
for number in os.listdir("/proc/self/fd"):
    try: open_ones.add(os.readlink(f"/proc/self/fd/{number}"))
    except OSError: pass
lines = [line.split() for kind in ("tcp", "tcp6", "udp") for line in open(f"/proc/self/net/{kind}")]
print(len([one for one in open_ones if "socket" in one]) > 5,
      [line[1] for line in lines if f"socket:[{line[9]}]" in open_ones])
"""
    (said,) = read_outputs(execute_notebook(write_notebook(tmp_path / "b.ipynb", cell), tmp_path))
    assert "".join(said["text"]) == "True []\n"


def test_a_place_too_long_for_a_socket_is_told(tmp_path):
    folder = tmp_path / ("x" * 60)
    with pytest.raises(UsageError, match="Set TMPDIR to a shorter one"):
        execute_notebook(write_notebook(tmp_path / "b.ipynb", "1"), folder)


def test_what_one_notebook_changes_the_next_does_not_see(tmp_path):
    change = "import math\nmath.pi = 3"
    execute_notebook(write_notebook(tmp_path / "change.ipynb", change), tmp_path)
    made = execute_notebook(write_notebook(tmp_path / "look.ipynb", "math = __import__('math')",
                                           "round(math.pi, 2)"), tmp_path)  # fmt: skip
    assert "".join(read_outputs(made)[0]["data"]["text/plain"]) == "3.14"


def test_a_notebook_that_fails_says_where_and_keeps_what_was_done(tmp_path):
    task = write_notebook(tmp_path / "book.ipynb", "print(1)", "1 / 0", "print(2)")
    folder = tmp_path / "made"
    folder.mkdir()
    with pytest.raises(RevictimisationError, match=r"book.ipynb stopped with ZeroDivisionError"):
        execute_notebook(task, folder)
    outputs = read_outputs(task.target)
    assert [output["output_type"] for output in outputs if "ename" in output] == ["error"]
    assert "".join(outputs[-1].get("text", "")) != "2\n"
