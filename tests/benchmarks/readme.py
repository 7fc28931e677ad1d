"""The benchmarks in the README: a block between two marks, made of runs' JSON. No figure in it is typed in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.benchmarks.figures import as_markdown
from tests.benchmarks.suite import MODULES, Run, without_figures

BEGIN, END = "<!-- benchmarks -->\n", "<!-- /benchmarks -->"
MEASURED, FAILED = "Measured on ", "Failed when last measured: "
PIECES = re.compile(rf"^(?=\*\*|{MEASURED}|{FAILED})", re.MULTILINE)
Tables = dict[str, tuple[str, str]]
"""By its title what is said of a table's run, and the table."""


def with_block(text: str, runs: Sequence[Run]) -> str:
    """The README with what was measured in these runs, each table in the place of an earlier one of its title.

    Others stay, with the date and the machine that they are of; none does where these runs measured all there is.

    Raises:
        ValueError: it does not have the two marks, once each and in this order.
    """
    before, begin, rest = text.partition(BEGIN)
    block, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"the file has not one {BEGIN.strip()} and then one {END}")
    tables, failed = _read(block)
    if {name for run in runs for name in run.modules}.issuperset(MODULES):
        tables = {}
    for run in runs:
        tables |= {table.title: (_said_of(run), as_markdown(table, run.programs)) for table in run.tables}
    return f"{before}{BEGIN}{_written(tables, without_figures(runs, failed))}{END}{after}"


def _said_of(run: Run) -> str:
    return (
        f"{MEASURED}{run.date[:10]} by `python -m tests.benchmarks` (medians; things that are compared took turns):"
        f" {run.machine}.\n{', '.join(run.programs)}."
    )


def _read(block: str) -> tuple[Tables, list[str]]:
    """The tables of a block, and which modules failed."""
    tables: Tables = {}
    failed: list[str] = []
    said = ""
    for piece in map(str.strip, PIECES.split(block)):
        if piece.startswith("**"):
            tables[piece[2:].partition(".**")[0]] = said, piece
        elif piece.startswith(FAILED):
            failed = piece.removeprefix(FAILED).removesuffix(".").split(", ")
        else:
            said = piece
    return tables, failed


def _written(tables: Tables, failed: Sequence[str]) -> str:
    """The block; what is said of a run stands before the first of its tables that follow each other."""
    pieces: list[str] = []
    last = ""
    for said, table in tables.values():
        pieces += [table] if said == last else [said, table]
        last = said
    if failed:
        pieces.append(f"{FAILED}{', '.join(failed)}.")
    return "\n\n".join(pieces) + "\n"
