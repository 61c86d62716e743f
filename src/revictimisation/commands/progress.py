"""Progress on the terminal: a bar for people, plain lines for logs, from the first second on."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import yaml

from revictimisation.core import files, interruption

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

QUIET_SECONDS = 0.8
HOLD_SECONDS = 0.3
BOTH = ("sv", "en")
_shown: list[RichProgress] = []


class Progress:
    """Tell which step of how many is under way, on standard error.

    On a terminal a bar with the elapsed time; elsewhere a line per step, unless all is done in less
    than a second. `tell(step)` begins the next step, by its key in `steps.yaml` (an analysis
    that is not there by its label in the dictionary), in the `languages` given: Swedish and English
    as long as nobody has said which.
    """

    def __init__(self, n_steps: int, languages: Sequence[str] = BOTH) -> None:
        """Prepare for a known number of steps."""
        self.n_steps, self.n_begun = n_steps, 0
        self.languages = languages
        self.bar: RichProgress | None = None
        self.lock = threading.Lock()
        self.held: str | None = ""  # what is kept back during the first second; then None
        self.timer = threading.Timer(QUIET_SECONDS, self._release)
        self.timer.daemon = True

    def __enter__(self) -> Progress:
        """Show the bar where there is a terminal."""
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            # The streams stay as they are: what a stopped command says last waits for no bar.
            self.bar = Progress(
                *columns,
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self.bar.start()
            _shown.append(self.bar)
            self.task = self.bar.add_task("", total=self.n_steps)
        else:
            self.timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self.timer.cancel()
        if self.bar:
            self.bar.stop()
            _shown.remove(self.bar)

    def note(self, text: str) -> None:
        """Say something that stays, whatever is under way."""
        with self.lock:
            if self.bar:
                self.bar.console.print(text, markup=False, highlight=False)
            else:
                print(text, file=sys.stderr, flush=True)

    def skip(self, n_steps: int) -> None:
        """There are so many steps fewer than was thought; more, where it is negative."""
        self.n_steps -= n_steps
        if self.bar:
            self.bar.update(self.task, total=self.n_steps)

    def tell(self, step: str, **words: Mapping[str, str]) -> None:
        """Begin a step; `words`, each by language, fill in what its text leaves open."""
        texts = load_steps().get(step) or label_analysis(step)
        told = " / ".join(
            texts[language].format(**{name: word[language] for name, word in words.items()})
            for language in self.languages
        )
        with self.lock:
            self.n_begun += 1
            line = f"[{self.n_begun}/{self.n_steps}] {told[:1].upper()}{told[1:]}"
            if self.bar:
                self.bar.update(self.task, description=line, completed=self.n_begun - 1)
            elif self.held is None:
                print(line, file=sys.stderr, flush=True)
            else:
                self.held = line

    def _release(self) -> None:
        """The first second is over: say which step it is, and from now on each as it begins."""
        with self.lock:
            if self.held:
                print(self.held, file=sys.stderr, flush=True)
            self.held = None


@interruption.at_stop
def take_bars_away() -> None:
    """See that no bar is drawn over what a stopped command says last; wait for none for long."""
    for bar in _shown:
        stopping = threading.Thread(target=bar.stop, daemon=True)
        stopping.start()
        stopping.join(HOLD_SECONDS)


@functools.cache
def load_steps() -> Mapping[str, Mapping[str, str]]:
    """What each step is called, by its key and then by language.

    >>> load_steps()["site"]["sv"]
    'gör sidorna'
    """
    return {name: words for steps in _read_steps().values() for name, words in steps.items()}


def count_steps(command: str) -> int:
    """How many steps a command has, of those that are told one by one (`estimate`)."""
    return len(_read_steps()[command])


def label_analysis(name: str) -> Mapping[str, str]:
    """What an analysis is called where `steps.yaml` has no words for it; by language.

    >>> label_analysis("calibrated")["sv"]
    'empirisk kalibrering'
    """
    from revictimisation.dictionary import load_dictionary

    return {language: load_dictionary().label("analysis", name, language) for language in BOTH}


@functools.cache
def _read_steps() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    text = files.read_text(files.package_file("commands", "steps.yaml"))
    steps: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(text)
    return steps
