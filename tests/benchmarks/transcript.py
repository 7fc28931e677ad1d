"""How fast a chat transcript becomes text and HTML, beside the bare Jinja2 engine's rendering of as many rows.

    python -m tests.benchmarks.transcript [--rounds 3] [--json FILE]

The bare engine has its template compiled, no sandbox and one loop: name, time and text of each row, autoescaped. That
is the least that any program on Jinja2 does for such a page, and it makes no text part. Reading the XML stands beside
expat that does nothing with it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from xml.parsers import expat

from jinja2 import Environment

from emaild.render.transcript import Css, Transcript, read, with_transcript
from emaild.shipped import shipped
from tests.benchmarks.figures import Table, aimed, command
from tests.benchmarks.in_turns import in_turns
from tests.unit.render.transcript.chats import chat, joins, leaves, says

MESSAGES, FEW = 1_000, 20
AIM = 1.5  # times the bare engine
ROW = '<div class="message"><b>{{ row.name }}</b><div>{{ row.text }}</div><span>{{ row.time }}</span></div>\n'
TAG = "<Genesys_Chat_Transcript><Timestamp>yyyy/MM/dd, HH:mm:ss</Timestamp></Genesys_Chat_Transcript>"
PAGE = f"<!DOCTYPE html><html><head><title>Your chat</title></head><body><p>Dear Ann,</p>{TAG}</body></html>"
WORDS = "Could you look at <this> & tell me what it is? It came with the parcel from last week, order {}."
FOLDERS = (shipped("templates"),)


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """The time that a transcript takes, from its values to finished parts, and its reading."""
    messages, times = (FEW, 1) if quick else (MESSAGES, 10)
    xml = chat_of(messages).encode()
    return [rendering(read(xml), rounds, times), reading(xml, rounds, times)]


def chat_of(messages: int) -> str:
    """A chat of two with that many messages, one in five seconds."""
    said = [says(WORDS.format(number), user="ca"[number % 2], shift=5 * number) for number in range(messages)]
    return chat(joins("Ann", zone="60"), joins("Bob", "AGENT", user="a"), *said, leaves(shift=5 * messages))


def rendering(transcript: Transcript, rounds: int, times: int) -> Table:
    rows = [
        {"name": entry.party.name, "text": entry.text, "time": f"2024/03/05, {entry.shift:08}"}
        for entry in transcript.entries
    ]
    engine = Environment(autoescape=True).from_string("{% for row in rows %}" + ROW + "{% endfor %}")

    def parts(text: str, html: str, css: Css = Css.INLINE) -> Callable[[], object]:
        return lambda: with_transcript(text, html, transcript, folders=FOLDERS, css=css)

    both = "emaild, text and HTML"
    works: dict[str, Callable[[], object]] = {
        "bare Jinja2, HTML": lambda: engine.render(rows=rows),
        both: parts(TAG, PAGE),
        "emaild, text": parts(TAG, ""),
        "emaild, HTML": parts("", PAGE),
        "emaild, HTML with a style element": parts("", PAGE, Css.STYLE),
        "emaild, HTML without a style": parts("", PAGE, Css.OWN),
    }
    figures = in_turns(works, rounds, unit="ms", times=times, per_second=1_000)
    return Table(
        title="Transcripts",
        about=f"A chat of {len(rows)} entries, read already, becomes the parts of a response; the HTML has its style "
        "in its head and on its elements, if nothing else is said.",
        figures=tuple(
            aimed(figure, f"within {AIM} times bare Jinja2", (figure.ratio or 0) <= AIM)
            if figure.name == both
            else figure
            for figure in figures
        ),
        programs=(f"Jinja2 {version('Jinja2')}", f"css-inline {version('css-inline')}"),
    )


def reading(xml: bytes, rounds: int, times: int) -> Table:
    works: dict[str, Callable[[], object]] = {
        "bare expat": lambda: expat.ParserCreate().Parse(xml, True),
        "emaild": lambda: read(xml),
    }
    return Table(
        title="Reading a transcript",
        about=f"The XML of that chat, {len(xml) // 1024} KiB, becomes what a customer may see; expat has no handlers.",
        figures=tuple(in_turns(works, rounds, unit="ms", times=times, per_second=1_000)),
        programs=(expat.EXPAT_VERSION.replace("_", " "),),
    )


def main() -> None:
    command(__doc__, measure)


if __name__ == "__main__":
    main()
