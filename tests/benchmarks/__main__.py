"""All benchmarks, with real servers that they start themselves.

    python -m tests.benchmarks [--only WORDS] [--rounds 3] [--json FILE] [--plots FOLDER] [--readme README.md]
    python -m tests.benchmarks --from FILE... [--plots FOLDER] [--readme README.md]

With `--from` nothing is measured: the tables are those of earlier runs' JSON, a later one in the place of an earlier
one of its title. So are those that `--readme` puts into a file, where the others stay as they are; a run of everything
that did not fail replaces all. Ends with 1 where a benchmark failed, with 2 where nothing was begun.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.benchmarks import plots, readme, suite
from tests.benchmarks.figures import Table, at_least_one, show
from tests.benchmarks.whole_files import put, ready


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="All benchmarks, or some.")
    arguments.add_argument("--only", nargs="+", default=(), metavar="WORD", help="the modules whose names hold one")
    arguments.add_argument("--rounds", type=at_least_one, default=3)
    arguments.add_argument("--quick", action="store_true", help="so little that it only shows that all of it works")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="where to write all figures")
    arguments.add_argument(
        "--from",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        dest="sources",
        help="measure nothing: read earlier runs",
    )
    arguments.add_argument("--plots", type=Path, metavar="FOLDER", help="where to draw how cost grows")
    arguments.add_argument("--readme", type=Path, metavar="FILE", help="the file whose block of benchmarks to replace")
    given = arguments.parse_args()
    suite.ends_in_order()
    try:
        look(given)
        names = suite.chosen(given.only)
        runs = [suite.run_in(file) for file in given.sources]
    except (OSError, ValueError) as error:
        arguments.exit(2, f"{arguments.prog}: {error}\n")
    if runs:
        show(suite.newest(runs))
    else:
        runs = [measured(names, given.rounds, quick=given.quick, file=given.json)]
    if given.readme:
        put(given.readme, readme.with_block(given.readme.read_text(encoding="utf-8"), runs))
    if given.plots:
        for file in plots.drawn(suite.newest(runs), given.plots):
            print(file)
    return 1 if suite.without_figures(runs) else 0


def look(given: argparse.Namespace) -> None:
    """Whether what is asked for can be done.

    Raises:
        OSError, ValueError: it cannot.
    """
    if given.sources and (given.only or given.quick or given.json):
        raise ValueError("with --from nothing is measured: --only, --quick and --json have no place beside it")
    if given.quick and given.readme:
        raise ValueError("the figures of --quick mean nothing: they are not for --readme")
    if given.json:
        ready(given.json)
    if given.plots:
        plots.ready(given.plots)
    if given.readme:
        ready(given.readme)
        readme.with_block(given.readme.read_text(encoding="utf-8"), [])


def measured(names: list[str], rounds: int, *, quick: bool, file: Path | None) -> suite.Run:
    """Measure and print; the file is written after each module, so that a long run that breaks off leaves something."""
    found: dict[str, list[Table] | None] = {}
    for name, tables in suite.run(names, rounds, quick=quick):
        found[name] = tables
        if tables is None:
            print(f"{name} failed", file=sys.stderr)
        show(tables or ())
        if file:
            text = json.dumps(suite.today(rounds, found).as_json(), indent=1, ensure_ascii=False)
            put(file, text + "\n")
    return suite.today(rounds, found)


if __name__ == "__main__":
    sys.exit(main())
