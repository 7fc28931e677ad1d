"""`emaild send --test`: a mail that goes out at once, by no outbox, each step told."""

from __future__ import annotations

from emaild.cli.doctor import places_of, quiet, title
from emaild.cli.findings import exit_code, print_finding, print_step
from emaild.cli.output import paragraph
from emaild.cli.state import become_owner
from emaild.jobs.examine import handed_over
from emaild.message import Outbound
from emaild.settings.load import Settings
from emaild.settings.way_out import ServerType, WayOutSection

LAST = ("end of data", "request")  # what broke there may have been done


def sent_now(settings: Settings, way: WayOutSection, mail: Outbound, why: str = "") -> int:
    """Send it, tell how far that came, and why no further; the exit code. The store is not touched.

    *why* says why it is from that sender.
    """
    quiet(settings, [way])
    become_owner(settings.emaild.state_directory)
    print(title(way))
    sender = f"{mail.sender or '<>'} ({why})" if why else mail.sender or "<>"
    paragraph(f"a test mail from {sender} to {', '.join(mail.recipients)}", 2)
    (place,) = places_of(settings, [way])
    finding = handed_over(place, mail, print_step)
    print_finding(finding)
    if not finding.works:
        taken = finding.temporary and finding.steps[-1].name in LAST
        print("It may be that the server has the mail." if taken else "The test mail was not sent.", end=" ")
        print("It is not tried again; a mail in the outbox is." if finding.temporary else "It is not tried again.")
    elif way.server_type is ServerType.EML:
        print("The mail is written, for a person to send.")
    else:
        print("The server has the mail; what becomes of it there, its log says.")
    return exit_code([finding])
