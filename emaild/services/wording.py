"""What a mail says: a standard response, or the caller's own words; and the mail that it answers, quoted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from emaild.errors import InputError
from emaild.message import TOKEN, Facts
from emaild.mime.html_text import readable
from emaild.render.compose import Enclosed
from emaild.render.quoted import quoted
from emaild.render.response import ExtReply, Response, ResponseWrong, load, rendered
from emaild.render.response.values import HTML, TEXT
from emaild.render.subjects import prefixed
from emaild.render.transcript import Transcript, WrongTimestamp
from emaild.render.transcript.writing import BODY_END
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.order import Order
from emaild.services.scope import filled
from emaild.settings.ini import Place
from emaild.settings.services import MailParameters, TextParameters

REPLY_TAG = "[ExtAgentReply]"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What a mail says. `subject` and `sender` are the standard response's, empty where it has none."""

    subject: str = ""
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    sender: str = ""
    attachments: tuple[Enclosed, ...] = ()
    notices: tuple[WrongTimestamp, ...] = ()


NOTHING = Wording()


def wording(
    order: Order[TextParameters],
    *,
    chat: Transcript | None = None,
    reply: ExtReply | None = None,
    must: bool = True,
) -> Wording:
    """The standard response that SrlId names, else Text and Html, with their field codes filled.

    With *chat* or *reply* they have those in them. HTML alone is written as text too; a standard response has the parts
    that its author gave it. Without any words there is nothing, or with *must* a fault.

    Raises:
        ServiceFault: response-wrong, wrong-parameter.
    """
    parameters, folders = order.parameters, order.office.folders
    processing = order.office.settings.processing
    if must and not (parameters.srl_id or parameters.text.strip() or parameters.html.strip()):
        raise ServiceFault(
            FaultKind.WRONG_PARAMETER,
            f"{parameters.kind.name} has nothing to say; give SrlId, or Text or Html",
            "SrlId",
        )
    try:
        found = rendered(
            load(parameters.srl_id, folders) if parameters.srl_id else _own_words(parameters, reply),
            order.scope,
            transcript=chat,
            ext_reply=reply,
            locale=order.locale,
            folders=folders,
            css=processing.transcript_css,
            dark=processing.transcript_dark_theme,
        )
    except ResponseWrong as wrong:
        raise _fault(wrong, parameters) from None
    except InputError as error:  # a template of ours that the operator changed
        raise ServiceFault(FaultKind.RESPONSE_WRONG, str(error)) from None
    words = Wording(
        subject=found.subject if parameters.use_subject_from_srl else "",
        text=found.text,
        html=found.html,
        sender=found.sender,
        attachments=found.attachments,
        notices=found.notices,
    )
    return words if parameters.srl_id or words.text else replace(words, text=readable(words.html))


def with_original(words: Wording, order: Order[TextParameters], said: Facts) -> Wording:
    """With that mail quoted below, if IncludeOriginalMessage says so: in the text, and in HTML where there is some.

    Raises:
        ServiceFault: response-wrong; a template for it is wrong.
    """
    if not order.parameters.include_original_message:
        return words
    office = order.office
    try:
        below = quoted(said, processing=office.settings.processing, locale=order.locale, folders=office.folders)
    except InputError as error:
        raise ServiceFault(FaultKind.RESPONSE_WRONG, str(error)) from None
    if not (words.text or words.html):
        return replace(words, text=below.text, html=below.html if said.html.strip() else "")
    ends = [end.start() for end in BODY_END.finditer(words.html)]
    at = ends[-1] if ends else len(words.html)
    return replace(
        words,
        text=f"{words.text.rstrip()}\n\n{below.text}" if words.text else "",
        html=f"{words.html[:at]}\n<br>\n{below.html}{words.html[at:]}" if words.html else "",
    )


def subject_of(order: Order[MailParameters], response: str, prefix: str, said: Facts | None = None) -> str:
    """The subject: the caller's, else the response's, else that of the mail *said* behind the prefix.

    Marks of ours by which answers find a mail are not passed on.

    Raises:
        ServiceFault: wrong-parameter; a field code in it is wrong.
    """
    if order.parameters.subject.strip():
        return filled(order.parameters.subject, order.scope, "Subject")
    if response or said is None:
        return response
    return prefixed(without_tokens(said.subject), prefix)


def without_tokens(text: str) -> str:
    """A text without our marks (`message.token`)."""
    return TOKEN.sub("", text)


def _own_words(parameters: TextParameters, reply: ExtReply | None) -> Response:
    """The caller's words as if they were a standard response; of a reply the reply alone, where there are none."""
    text, html = parameters.text.replace("\r\n", "\n"), parameters.html
    if reply is not None and not (text.strip() or html.strip()):
        text, html = REPLY_TAG, REPLY_TAG if reply.html.strip() else ""
    return Response(name="", text=text, html=html, places={TEXT: Place(Path("Text"), 1), HTML: Place(Path("Html"), 1)})


def _fault(wrong: ResponseWrong, parameters: TextParameters) -> ServiceFault:
    text = "; ".join(str(fault) for fault in wrong.faults) or str(wrong)
    if parameters.srl_id:
        return ServiceFault(FaultKind.RESPONSE_WRONG, text, "SrlId")
    return ServiceFault(FaultKind.WRONG_PARAMETER, text, text.partition(":")[0])
