"""Mail out over Microsoft Graph: what a refusal means, and what was sent before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.secret import Secret
from tests.adapters.graph_mails import FRESH, MIB, file_part, large, mail
from tests.adapters.graph_ways import USER, GivenTokens, Graphs
from tests.adapters.ways import FAILED, SENT, WAITING, codes, states
from tests.servers.authority import Authority
from tests.servers.graph import TOKEN
from tests.servers.graph_mailbox import Mailbox
from tests.servers.scripted import Dialog, Scripted

# What is refused


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (400, "ErrorMimeContentInvalid", FAILED),
        (400, "ErrorInvalidRecipients", FAILED),
        (403, "ErrorSendAsDenied", FAILED),
        (409, "ErrorIrresolvableConflict", WAITING),
        (500, "InternalServerError", WAITING),
        (502, "BadGateway", WAITING),
        (504, "GatewayTimeout", WAITING),
        (400, "ErrorMailboxMoveInProgress", WAITING),
        (201, "", WAITING),
        (302, "Found", WAITING),
    ],
)
def test_a_refusal_of_the_mail_is_the_mails(graph: Graphs, box: Mailbox, status: int, code: str, state: object) -> None:
    graph.server.fail("sendMail", status, code)
    (receipt,) = graph.sink().send(mail())
    assert (receipt.state, receipt.code) == (state, str(status))
    assert code in receipt.text
    assert box.sent == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "ErrorAccessDenied", Rejected),
        (404, "ErrorInvalidUser", Rejected),
        (400, "MailboxNotEnabledForRESTAPI", Rejected),
        (429, "ApplicationThrottled", Busy),
        (503, "ServiceUnavailable", Busy),
        (509, "BandwidthLimitExceeded", Busy),
    ],
)
def test_a_refusal_of_the_mailbox_is_the_ways(graph: Graphs, status: int, code: str, kind: type[Exception]) -> None:
    graph.server.fail("sendMail", status, code)
    with pytest.raises(kind, match=f"{status} {code}"):
        graph.sink().send(mail())


# Whether it was sent before


@pytest.mark.parametrize("fits", ["sendMail", "POST .*send$"])
def test_a_mail_whose_answer_was_lost_is_found_in_sent_items_and_not_sent_again(
    graph: Graphs, box: Mailbox, fits: str
) -> None:
    given = large(file_part(Random(15).randbytes(4 * MIB), "a.pdf")) if "$" in fits else mail(to="O'Neil <o'n@x.org>")
    raw, name = given.raw.replace(b"Message-ID: <", b"Message-ID: <it's-"), given.message_id.replace("<", "<it's-")
    given = replace(given, raw=raw, message_id=name, recipients=("o'n@x.org", "hidden@example.net"))
    sink = graph.sink()
    graph.server.fail(fits, 504, "GatewayTimeout", after=True)
    assert states(sink.send(given)) == [WAITING] * 2
    again = sink.send(replace(given, attempts=1))
    assert (states(again), codes(again)) == ([SENT] * 2, ["202"] * 2)
    assert "it lies in Sent Items" in again[0].text
    assert box.held("sentitems") == box.sent
    assert (len(box.sent), box.held("drafts")) == (1, [])


@pytest.mark.parametrize("status", [429, 503])
def test_a_mail_that_was_sent_though_graph_said_to_be_too_busy_is_not_sent_again(
    graph: Graphs, box: Mailbox, status: int
) -> None:
    graph.server.fail("sendMail", status, "ApplicationThrottled", after=True, Retry_After="60")
    first, second = graph.sink(), graph.sink()
    with pytest.raises(Busy):
        first.send(mail())
    graph.clock.advance(60)
    for sink in (second, first):  # the mail was given back untouched, and whoever is free takes it
        assert states(sink.send(mail())) == [SENT]
        assert len(box.sent) == (1 if sink is second else 2)


@pytest.mark.parametrize(("name", "found"), [("0" * 16, 1), (FRESH, 0)], ids=["older", "fresh"])
def test_only_a_mail_that_is_older_than_the_sink_or_was_tried_is_looked_for(
    graph: Graphs, box: Mailbox, name: str, found: int
) -> None:
    sink = graph.sink()
    assert states(sink.send(mail())) == [SENT]
    assert states(sink.send(replace(mail(), id=name))) == [SENT]
    assert graph.server.count("sentitems") == found
    assert len(box.sent) == 2 - found


def test_a_mail_that_went_to_others_under_its_message_id_is_none_that_was_sent(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink()
    sink.send(mail())
    assert states(sink.send(replace(mail("one@example.net", "two@example.net"), attempts=1))) == [SENT] * 2
    assert len(box.sent) == 2


def test_an_application_that_may_not_look_sends_again_and_one_that_cannot_now_waits(
    graph: Graphs, box: Mailbox
) -> None:
    sink, given = graph.sink(), replace(mail(), attempts=1)
    graph.server.fail("sentitems", 500, "InternalServerError")
    assert states(sink.send(given)) == [WAITING]
    assert box.sent == []
    graph.server.fail("sentitems", 403, "ErrorAccessDenied")
    assert states(sink.send(given)) == [SENT]
    assert len(box.sent) == 1


def test_a_connection_that_was_closed_meanwhile_costs_no_try(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink()
    for number in (1, 2):
        assert states(sink.send(mail())) == [SENT]
        assert graph.server.connections == number
        graph.server.close_all()


def test_a_server_that_is_down_touches_no_mail(graph: Graphs, authority: Authority) -> None:
    sink = graph.sink()
    graph.server.__exit__(None, None, None)
    try:
        with pytest.raises(Unreachable, match="connect: Connection refused"):
            sink.send(mail())
    finally:
        graph.server.__enter__()


def test_a_refused_token_is_replaced_and_no_mail_is_sent_twice(graph: Graphs, box: Mailbox) -> None:
    tokens = GivenTokens(USER, "revoked", TOKEN)
    assert states(graph.sink(tokens=tokens).send(mail())) == [SENT]
    assert (tokens.refusals, len(box.sent)) == (["revoked"], 1)
    with pytest.raises(Rejected, match="the token was refused"):
        graph.sink(tokens=GivenTokens(USER, "one", "two", "three")).send(mail())


def test_a_draft_that_cannot_be_deleted_goes_with_the_next_try(graph: Graphs, box: Mailbox) -> None:
    given, sink = large(file_part(Random(14).randbytes(4 * MIB), "a.pdf")), graph.sink()
    graph.server.fail("PUT /upload", 500)
    graph.server.fail("DELETE", 500)
    assert states(sink.send(given)) == [WAITING]
    assert len(box.held("drafts")) == 1
    assert states(sink.send(given)) == [SENT]
    assert (box.held("drafts"), len(box.sent)) == ([], 1)


# When the way itself does not work


class EndedTokens(GivenTokens):
    """One token, and then an authority that is down."""

    def token(self) -> Secret:
        if self.refusals:
            raise Unreachable("login.example.com", "sign in", "Connection refused")
        return super().token()


def test_a_mail_waits_untouched_where_a_new_token_is_not_to_be_had(graph: Graphs, box: Mailbox) -> None:
    sink = graph.sink(tokens=EndedTokens(USER, "a revoked one"))
    with pytest.raises(Unreachable, match=r"login\.example\.com: sign in: Connection refused"):
        sink.send(mail())
    assert box.sent == []


def test_a_mail_waits_untouched_where_the_connection_went_before_it_was_offered(
    graph: Graphs, scripted: Callable[..., Scripted], authority: Authority
) -> None:
    def closes(dialog: Dialog) -> None:
        if dialog.number == 1:
            dialog.start_tls()
            while dialog.readline():
                pass
            answer = "HTTP/1.1 200 OK", "Connection: close", "Content-Length: 12", "", '{"value":[]}'
            dialog.send_raw("\r\n".join(answer).encode())

    server = scripted(closes, authority=authority)
    sink = graph.sink(server=f"https://localhost:{server.port}/v1.0")
    with pytest.raises(Unreachable):
        sink.send(replace(mail(), attempts=1))
    assert server.connections == 2


def test_an_upload_that_is_refused_is_told_without_its_address(graph: Graphs, box: Mailbox) -> None:
    given, sink = large(file_part(Random(18).randbytes(8 * MIB), "a.pdf")), graph.sink()
    said = {"error": {"code": "Bad eyJ0.a", "message": "authtoken=eyJ0.a is bad"}}
    graph.server.fail("PUT /upload", 400, said=said)
    (receipt,) = sink.send(given)
    assert (receipt.state, receipt.text) == (FAILED, "Bad *** *** is bad")
