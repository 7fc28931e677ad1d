"""How cost grows, drawn: one picture for each table that has series."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.figures import Series, Table

WIDE = 50  # times between the first and the last x from which on the axis is logarithmic


def ready(folder: Path) -> None:
    """Make the folder, and look whether there is what draws, before hours of measuring.

    Raises:
        OSError: the folder cannot be made.
        ValueError: nothing can be written there, or matplotlib is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{folder} cannot be written to")
    if not find_spec("matplotlib"):
        raise ValueError("matplotlib is missing: pip install matplotlib")


def drawn(tables: Iterable[Table], folder: Path) -> list[Path]:
    """Draw the series of each table, those with the same axes into one frame; returns the files, in PNG.

    To be called where `ready` found nothing.
    """
    from matplotlib.figure import Figure

    files = []
    for table in tables:
        frames: dict[tuple[str, str], list[Series]] = defaultdict(list)
        for series in table.series:
            frames[series.x_label, series.y_label].append(series)
        if not frames:
            continue
        picture = Figure(figsize=(6.4 * len(frames), 4.2), layout="constrained")
        picture.suptitle(table.title)
        for axes, ((x_label, y_label), found) in zip(
            picture.subplots(1, len(frames), squeeze=False)[0], frames.items(), strict=True
        ):
            for series in found:
                axes.plot(*zip(*series.points, strict=True), marker="o", label=series.name)
            axes.set(xlabel=x_label, ylabel=y_label)
            if (places := _places(found))[-1] > WIDE * max(1, places[0]):
                axes.set_xscale("symlog", linthresh=max(1, min(place for place in places if place > 0)))
            axes.set_xticks(places, [f"{place:,.0f}" for place in places])
            axes.set_ylim(bottom=0)
            axes.legend()
        files.append(folder / f"{re.sub(r'[^a-z0-9]+', '-', table.title.lower()).strip('-')}.png")
        picture.savefig(files[-1], dpi=120)
    return files


def _places(found: Iterable[Series]) -> list[float]:
    """All x, from left to right."""
    return sorted({x for series in found for x, _ in series.points})
