"""The subtype of an inbound interaction, as far as the mail itself and known Message-IDs tell."""

from __future__ import annotations

from collections.abc import Callable

from emaild.message import Facts, Report, ReportKind, Subtype
from emaild.mime.automatic import AUTO_SUBMITTED, NULL_SENDER, SENDER, answers, is_absence
from emaild.settings.processing import ProcessingSection


def subtype(said: Facts, processing: ProcessingSection, known: Callable[[str], bool]) -> Subtype:
    """InboundNDR, InboundReport, InboundDisposition or InboundNew; *known*: whether a Message-ID is in the store.

    A report by a standard comes first, then the guide's second way ("Message Parts"), then a bounce that only our own
    rules know.
    """
    report = said.report
    if report is not None and report.kind is ReportKind.ARF:
        return Subtype.INBOUND_REPORT
    if report is not None and report.kind is ReportKind.MDN:
        return Subtype.INBOUND_DISPOSITION
    if report is not None and (report.kind is ReportKind.DSN or _is_delay(report, processing)):
        return Subtype.INBOUND_NDR if report.failed else Subtype.INBOUND_REPORT
    if _returns_a_mail(said, processing, known):
        return Subtype.INBOUND_NDR
    if report is None:
        return Subtype.INBOUND_NEW
    return Subtype.INBOUND_NDR if report.failed else Subtype.INBOUND_REPORT


def _is_delay(report: Report, processing: ProcessingSection) -> bool:
    """Whether it warns that a mail is late; the guide's letter would take a daemon's warning for a failure."""
    return not report.failed and not processing.ndr_guide_strict


def returns_mails(said: Facts, processing: ProcessingSection) -> bool:
    """Whether its sender is one of ndr-senders-list, by the address or the name, without regard to case."""
    sender = f"{said.sender_personal} {said.sender}".lower()
    return any(part.lower() in sender for part in processing.ndr_senders_list)


def _returns_a_mail(said: Facts, processing: ProcessingSection, known: Callable[[str], bool]) -> bool:
    """The guide's second way: a mail with a Message-ID lies in it, and a daemon sent it or that Message-ID is known.

    An absence notice may enclose what it answers, and so may a customer: a known Message-ID counts only where no
    person sent the mail, unless the guide's letter is asked for.
    """
    if not said.enclosed_ids or is_absence(said.subject):
        return False
    if returns_mails(said, processing):
        return True
    by_program = said.return_path == "" or (said.automatic or "").startswith((AUTO_SUBMITTED, NULL_SENDER, SENDER))
    allowed = processing.ndr_guide_strict or (by_program and not answers(said))
    return allowed and any(map(known, said.enclosed_ids))
