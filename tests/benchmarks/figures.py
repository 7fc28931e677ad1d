"""What a benchmark found: figures in tables, as they are printed, kept as JSON and written as Markdown."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.benchmarks.whole_files import put

LEAST_STOLEN = 1.0  # percent


@dataclass(frozen=True)
class Figure:
    """One figure: the median of its rounds, and each of them. Made by `median`; set beside another by `beside`."""

    name: str  # "emaild, IMAP"; unique within its table
    value: float  # median
    unit: str  # "mails/s", "MB", "ms", "%"
    rounds: tuple[float, ...]
    aim: str = ""  # the aim in words: "above 1.5 times Postfix", else empty
    ratio: float | None = None  # to what it is compared with, measured in the same run
    to: str = ""  # the name of that figure
    reached: bool | None = None  # whether the aim is; None: there is none


@dataclass(frozen=True)
class Series:
    """How something grows, to be drawn: the series of a table are drawn into one plot."""

    name: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Table:
    """What one benchmark measured."""

    title: str  # "Inbound"
    about: str  # one or two sentences: what is measured, from where to where
    figures: tuple[Figure, ...]
    series: tuple[Series, ...] = ()
    programs: tuple[str, ...] = ()  # versions of what was measured: "Postfix 3.7.11", "Dovecot 2.3.19"
    stolen: float = 0.0  # percent of the processor's time that was wanted meanwhile and that the host gave to others


def median(name: str, unit: str, rounds: Iterable[float]) -> Figure:
    """The figure of these rounds."""
    each = tuple(rounds)
    return Figure(name, statistics.median(each), unit, each)


def beside(figure: Figure, other: Figure) -> Figure:
    """The figure with its ratio to the other's, of the same run."""
    return replace(figure, ratio=figure.value / other.value, to=other.name) if other.value else figure


def aimed(figure: Figure, aim: str, reached: bool) -> Figure:
    """The figure with its aim, and whether that is reached."""
    return replace(figure, aim=aim, reached=reached)


def as_json(tables: Iterable[Table]) -> list[dict[str, Any]]:
    """What `json.dumps` takes."""
    return [asdict(table) for table in tables]


def from_json(found: Iterable[dict[str, Any]]) -> list[Table]:
    """The tables that `as_json` made that of."""
    return [
        Table(
            title=table["title"],
            about=table["about"],
            figures=tuple(Figure(**{**one, "rounds": tuple(one["rounds"])}) for one in table["figures"]),
            series=tuple(Series(**{**one, "points": tuple(map(tuple, one["points"]))}) for one in table["series"]),
            programs=tuple(table["programs"]),
            stolen=table.get("stolen", 0.0),
        )
        for table in found
    ]


def save(tables: Iterable[Table], file: Path) -> None:
    """Write the tables' JSON into a file."""
    put(file, json.dumps(as_json(tables), indent=1, ensure_ascii=False) + "\n")


def show(tables: Iterable[Table]) -> None:
    """Print the tables."""
    for table in tables:
        rows = [("", "median", "", "beside", "aim"), *map(_cells, table.figures)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(f"{table.title}: {table.about}")
        for name, value, *rest in rows:
            more = "  ".join(f"{cell:{width}}" for cell, width in zip(rest, widths[2:], strict=True))
            print(f"  {name:{widths[0]}}  {value:>{widths[1]}} {more}".rstrip())
        for line in filter(None, (", ".join(table.programs), _loss(table))):
            print(f"  {line}")
        print()


def as_markdown(table: Table, known: Collection[str] = ()) -> str:
    """The table as it stands in the README, with its programs but those that are *known*."""
    counts = sorted({len(figure.rounds) for figure in table.figures})
    rounds = f"{' or '.join(map(str, counts))} round{'s' * (counts != [1])}"
    lines = [
        f"**{table.title}.** {table.about}",
        "",
        f"| | median | {rounds} | beside | aim |",
        "|---|---|---|---|---|",
    ]
    for figure, (name, value, unit, ratio, aim) in zip(table.figures, map(_cells, table.figures), strict=True):
        lines.append(f"| {name} | {value} {unit} | {_span(figure.rounds)} | {ratio} | {aim} |")
    said = {one.casefold() for one in known}
    programs = ", ".join(one for one in table.programs if one.casefold() not in said)
    if after := [f"{one}." for one in (programs, _loss(table)) if one]:
        lines += ["", " ".join(after)]
    return "\n".join(lines)


def _loss(table: Table) -> str:
    """What a virtual machine's host took away; empty where that is next to nothing."""
    if table.stolen < LEAST_STOLEN:
        return ""
    return f"The machine's host gave {number(table.stolen)} % of the processors' time to others meanwhile"


def number(value: float) -> str:
    """A figure as people read it: three digits that count, or all of its whole ones."""
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    verdict = {None: "", True: ": reached", False: ": missed"}[figure.reached]
    ratio = f"{figure.ratio:.2f} × {figure.to}" if figure.ratio is not None else ""
    return figure.name, number(figure.value), figure.unit, ratio, f"{figure.aim}{verdict}"


def _span(rounds: Sequence[float]) -> str:
    low, high = number(min(rounds)), number(max(rounds))
    return low if low == high else f"{low} to {high}"


def command(described: str | None, measure: Callable[[int], Sequence[Table]]) -> None:
    """The command of a module that needs no more options; *described* is its docstring."""
    given = options(described).parse_args()
    told(measure(given.rounds), given.json)


def options(described: str | None) -> argparse.ArgumentParser:
    """Those that every benchmark has; *described* is the docstring of its module."""
    found = argparse.ArgumentParser(description=(described or "").partition("\n")[0])
    found.add_argument("--rounds", type=at_least_one, default=3)
    found.add_argument("--json", type=Path, metavar="FILE", help="where to write all figures, too")
    return found


def at_least_one(text: str) -> int:
    """How many rounds.

    Raises:
        ArgumentTypeError: that many cannot be measured.
    """
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not one or more")


def told(tables: Sequence[Table], file: Path | None) -> None:
    """Print the tables; write them into the file, if there is one."""
    show(tables)
    if file:
        save(tables, file)
