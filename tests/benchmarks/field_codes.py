"""How fast the field codes of a standard response are filled, beside Jinja2 and `str.format`.

    python -m tests.benchmarks.field_codes [--rounds 3] [--json FILE]

Each fills a like template, made ready before, with the same values. `str.format` knows neither conditions nor dates:
it is given their results. Neither of the bare engines tells a customer's markup from the author's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

from jinja2 import Environment

from emaild.render.field_codes import Scope, check, compiled, render
from tests.benchmarks.figures import Table, command
from tests.benchmarks.in_turns import in_turns

TIMES, FEW = 1_000, 10
TEXT = """Dear <$Contact.Title$> <$Contact.LastName$>,

<$If(Interaction.Subject <> "", "thank you for your message about " + Interaction.Subject, "thank you")$>. It came \
on <$Interaction.DateCreated : "yyyy-MM-dd HH:mm"$>, and has the number <$Interaction.Id$>.
Your order <$Interaction.AttachedData("Order")$> of <$order.total : "#,##0.00"$> EUR is on its way.

<$Agent.FullName$>
"""
JINJA = """Dear {{ contact.title }} {{ contact.last_name }},

{% if subject %}thank you for your message about {{ subject }}{% else %}thank you{% endif %}. It came \
on {{ created.strftime("%Y-%m-%d %H:%M") }}, and has the number {{ id }}.
Your order {{ data["Order"] }} of {{ "{:,.2f}".format(total) }} EUR is on its way.

{{ agent }}
"""
FORMAT = """Dear {contact[title]} {contact[last_name]},

thank you for your message about {subject}. It came on {created:%Y-%m-%d %H:%M}, and has the number {id}.
Your order {data[Order]} of {total:,.2f} EUR is on its way.

{agent}
"""
CREATED = datetime(2024, 3, 5, 8, 9, 33, tzinfo=UTC)


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """The time that a response takes, its codes taken apart before or not."""
    times = FEW if quick else TIMES
    values = {
        "contact": {"title": "Dr", "last_name": "Miller"},
        "subject": "a parcel",
        "created": CREATED,
        "id": "0000Aa1",
        "data": {"Order": "4711"},
        "total": 1234.5,
        "agent": "Ann Smith",
    }
    bare, template = Environment(autoescape=False).from_string(JINJA), compiled(TEXT)
    works: dict[str, Callable[[], object]] = {
        "bare Jinja2": lambda: bare.render(values),
        "str.format": lambda: FORMAT.format(**values),
        "emaild, text": lambda: render(template, scope()),
        "emaild, HTML": lambda: render(template, scope(), html=True),
        "emaild, given as a text": lambda: render(TEXT, scope()),
    }
    made = [bare.render(values) + "\n", FORMAT.format(**values), render(template, scope())]
    if made[1:] != made[:-1]:
        raise AssertionError(f"not the same text: {made}")
    readings: dict[str, Callable[[], object]] = {
        "bare Jinja2": lambda: Environment(autoescape=False).from_string(JINJA),
        "emaild": lambda: check(TEXT),
    }
    programs = (f"Jinja2 {version('Jinja2')}",)
    return [
        Table(
            title="Field codes",
            about="Nine codes of a standard response, with a condition, a date and a number, filled with values.",
            figures=tuple(in_turns(works, rounds, unit="µs", times=times, per_second=1_000_000)),
            programs=programs,
        ),
        Table(
            title="Reading field codes",
            about="The same text taken apart and checked, as is done once for each response.",
            figures=tuple(in_turns(readings, rounds, unit="µs", times=max(times // 10, 1), per_second=1_000_000)),
            programs=programs,
        ),
    ]


def scope() -> Scope:
    """Made anew, as it is for each mail."""
    return Scope(
        contact={"Title": "Dr", "LastName": "Miller"},
        interaction={"Subject": "a parcel", "DateCreated": CREATED, "Id": "0000Aa1"},
        agent={"FullName": "Ann Smith"},
        custom={"order.total": 1234.5},
        attached_data={"Order": "4711"},
        now=CREATED,
    )


def main() -> None:
    command(__doc__, measure)


if __name__ == "__main__":
    main()
