"""How fast a chat transcript becomes text and HTML, beside the bare Jinja2 engine's rendering of as many rows.

    python -m tests.benchmarks.transcript [--messages 1000] [--rounds 5]

The bare engine has its template compiled, no sandbox and one loop: name, time and text of each row, autoescaped. That
is the least that any program on Jinja2 does for such a page, so `of the engine` is the price of everything else.
Medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from jinja2 import Environment

from emaild.render.transcript import Css, read, with_transcript
from emaild.shipped import shipped
from tests.unit.render.transcript.chats import chat, joins, leaves, says

ROW = '<div class="message"><b>{{ row.name }}</b><div>{{ row.text }}</div><span>{{ row.time }}</span></div>\n'
TAG = "<Genesys_Chat_Transcript><Timestamp>yyyy/MM/dd, HH:mm:ss</Timestamp></Genesys_Chat_Transcript>"
WORDS = "Could you look at <this> & tell me what it is? It came with the parcel from last week, order {}."
FOLDERS = (shipped("templates"),)


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--messages", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    messages = [says(WORDS.format(number), user="ca"[number % 2], shift=5 * number) for number in range(given.messages)]
    xml = chat(joins("Ann", zone="60"), joins("Bob", "AGENT", user="a"), *messages, leaves(shift=5 * given.messages))
    transcript = read(xml.encode())
    rows = [
        {"name": entry.party.name, "text": entry.text, "time": f"2024/03/05, {entry.shift:08}"}
        for entry in transcript.entries
    ]
    engine = Environment(autoescape=True).from_string("{% for row in rows %}" + ROW + "{% endfor %}")

    def page(css: Css) -> str:
        return with_transcript("", TAG, transcript, folders=FOLDERS, css=css).html

    works: dict[str, Callable[[], object]] = {
        "bare Jinja2": lambda: engine.render(rows=rows),
        "XML read": lambda: read(xml.encode()),
        "text": lambda: with_transcript(TAG, "", transcript, folders=FOLDERS).text,
        "HTML": lambda: page(Css.OWN),
        "HTML, style element": lambda: page(Css.STYLE),
        "HTML, style inlined": lambda: page(Css.INLINE),
    }
    print(f"{len(rows)} rows{'':15}{'ms':>10}{'rows/s':>12}{'KiB':>10}   of the engine")
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(given.rounds):  # in turns, so that a busy moment of the machine is nobody's alone
        for name, work in works.items():
            taken[name].append(timed(work))
    base = statistics.median(taken["bare Jinja2"])
    for name, work in works.items():
        seconds, made = statistics.median(taken[name]), work()
        size = f"{len(made.encode()) / 1024:.0f}" if isinstance(made, str) else ""
        print(f"{name:24}{seconds * 1000:>10.1f}{len(rows) / seconds:>12,.0f}{size:>10}{base / seconds:>14.0%}")


def timed(work: Callable[[], object]) -> float:
    """How many seconds of the processor it takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
