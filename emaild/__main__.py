"""`python -m emaild` and the console script."""

from __future__ import annotations

import os
import sys

from emaild.cli.main import command

FIRST_OTHER = 3  # descriptor after those of the standard streams


def main() -> None:
    """Run the command line and exit with its code."""
    _open_streams()
    sys.exit(command(sys.argv[1:]))


def _open_streams() -> None:
    """What is printed to a stream that somebody closed goes nowhere, and not into the next file that is opened."""
    descriptor = 0
    while descriptor < FIRST_OTHER:  # the lowest that is free
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()
