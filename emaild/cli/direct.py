"""`emaild send --test`: a mail that goes out at once, by no outbox, each step told."""

from __future__ import annotations

from emaild.cli.doctor import places_of, quiet, title
from emaild.cli.findings import exit_code, print_finding, print_step
from emaild.cli.state import become_owner
from emaild.jobs.examine import handed_over
from emaild.message import Outbound
from emaild.settings.load import Settings
from emaild.settings.way_out import ServerType, WayOutSection

LAST = ("end of data", "request")  # what broke there may have been done


def sent_now(settings: Settings, way: WayOutSection, mail: Outbound) -> int:
    """Send it, tell how far that came, and why no further; the exit code. The store is not touched."""
    quiet(settings, [way])
    become_owner(settings.emaild.state_directory)
    print(title(way))
    print(f"  a test mail from {mail.sender or '<>'} to {', '.join(mail.recipients)}")
    (place,) = places_of(settings, [way])
    finding = handed_over(place, mail, print_step)
    print_finding(finding)
    if not finding.works:
        last = finding.steps[-1].name
        print(
            "It may be that the server has the mail;" if finding.temporary and last in LAST else "It was not sent;",
            end=" ",
        )
        print("nobody tries it again.")
    elif way.server_type is ServerType.EML:
        print("The mail is written, for a person to send.")
    else:
        print("The server has the mail; what becomes of it there, its log says.")
    return exit_code([finding])
