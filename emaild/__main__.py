"""`python -m emaild` and the console script."""

from __future__ import annotations

import sys

from emaild.cli.main import command


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(command(sys.argv[1:]))


if __name__ == "__main__":
    main()
