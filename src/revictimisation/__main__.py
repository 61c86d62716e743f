"""`python -m revictimisation` is the command `revictimisation`."""

import os
import signal
import sys
import warnings


def main() -> None:
    """Run the command; Ctrl-C ends it without a word also while it is being loaded and unloaded.

    What libraries warn of is for us (`python -W`, REVICTIMISATION_DEBUG): tests hold it as errors.
    """
    if not sys.warnoptions and not os.environ.get("REVICTIMISATION_DEBUG"):
        warnings.simplefilter("ignore")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from revictimisation.core.workers import keep_libraries_serial

    keep_libraries_serial()
    from revictimisation.commands.command_line import main as run

    run()


if __name__ == "__main__":
    main()
