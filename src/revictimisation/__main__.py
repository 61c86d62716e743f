"""`python -m revictimisation` is the command `revictimisation`."""

import signal


def main() -> None:
    """Run the command; Ctrl-C ends it without a word also while it is being loaded and unloaded."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from revictimisation.cli import main as run

    run()


if __name__ == "__main__":
    main()
