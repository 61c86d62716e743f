"""`python -m revictimisation` is the command `revictimisation`."""

from revictimisation.cli import main

if __name__ == "__main__":
    main()
