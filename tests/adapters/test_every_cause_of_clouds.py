"""What emaild says where clouds and their tokens are in the way, as the table of causes has it: each for real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from emaild.net.oauth import Sealed, tokens_for
from emaild.net.oauth.grant import grant_of
from emaild.net.peer import peer_of
from emaild.net.sign_in import SignIn
from emaild.settings.by_token import GrantType
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from emaild.sinks.smtp import Smtp
from tests.adapters import graph_ways
from tests.adapters.causes import Heard, Sample, at, fresh, heard
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.graph_ways import USER
from tests.adapters.test_every_cause_of_ours import bare
from tests.adapters.ways import Way
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer, Said
from tests.servers.authorization_rules import as_json
from tests.servers.ews import Exchange, Failure
from tests.servers.ports import ReservedPort
from tests.servers.scripted import Scripted, silent


def by_graph(stage: ExitStack, authority: Authority, folder: Path) -> Any:
    """Sinks, and the server that they lead to."""
    made = graph_ways.graphs(authority)
    stage.callback(lambda: next(made, None))
    return next(made)


def too_large(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
    large = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" * 2_000_000
    return heard(by_graph(stage, authority, folder).sink(), fresh(USER, large))


def left_alone(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
    ways = by_graph(stage, authority, folder)
    ways.server.fail("sendMail", 429, "ApplicationThrottled", Retry_After="30")
    sink = ways.sink()
    assert heard(sink, fresh(USER)).cause == "throttled"
    return heard(sink, fresh(USER))


def strange_from(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
    return heard(by_graph(stage, authority, folder).sink(), fresh("joe@example.com"))


def denied_with(page: bytes) -> Callable[[ExitStack, Authority, Path], Heard]:
    """A 401 of Exchange whose page says why."""

    def scene(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
        exchange = stage.enter_context(Exchange(authority))
        exchange.mailbox(ANN)
        exchange.fails = lambda operation, number: Failure(401, body=page)
        return heard(stage.enter_context(Ways(exchange, authority)).sink())

    return scene


def signing_in(stage: ExitStack, authority: Authority, grant_type: GrantType, tokens_from: str) -> WayOutSection:
    """A way out that signs in with a token, which is asked for at that URL."""
    return WayOutSection(
        name="smtp-client",
        server="localhost",
        port_given=stage.enter_context(Scripted(silent)).port,
        enable_authentication=True,
        user=ANN,
        password=Secret("hunter2"),
        smtp=SmtpProperties(auth_mechanisms=("XOAUTH2",)),
        ca_file=authority.ca_file,
        client_id="emaild",
        directory_id="contoso",
        grant_type_given=grant_type,
        tenant_authority=tokens_from,
    )


def without_token(stage: ExitStack, section: WayOutSection, sealed: Sealed) -> Heard:
    clock = ManualClock()
    sign_in = SignIn(tokens_for(section, proxy=None, clock=clock, sealed=sealed), clock, 60.0)
    return heard(stage.enter_context(closing(Way(Smtp(section, peer_of(section), clock, sign_in)))))


def nobody_gives_tokens(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
    port = ReservedPort()
    stage.callback(port.release)
    section = signing_in(stage, authority, GrantType.CLIENT_CREDENTIALS, f"https://localhost:{port.number}")
    return without_token(stage, section, Sealed(folder))


def answered_with(answer: Said) -> Callable[[ExitStack, Authority, Path], Heard]:
    """What the authority says when it is asked for a token."""

    def scene(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
        people = stage.enter_context(AuthorizationServer(authority))
        people.judge = lambda asked: answer if asked.path.endswith("/token") else None
        section = signing_in(stage, authority, GrantType.CLIENT_CREDENTIALS, people.url)
        return without_token(stage, section, Sealed(folder))

    return scene


def signed_in_elsewhere(stage: ExitStack, authority: Authority, folder: Path) -> Heard:
    """The state directory comes from another machine."""
    here, there = folder / "here", folder / "there"
    here.write_text("1\n")
    there.write_text("2\n")
    section = signing_in(stage, authority, GrantType.AUTHORIZATION_CODE, "https://localhost:1")
    grant = grant_of(section)
    assert grant is not None
    Sealed(folder, there).write(grant.sealed_name, Secret("a refresh token"))
    return without_token(stage, section, Sealed(folder, here))


SECRET_EXPIRED = {
    "error": "invalid_client",
    "error_description": "AADSTS7000222: The provided client secret keys expired.",
}

SCENES: Mapping[str, Callable[[ExitStack, Authority, Path], Heard]] = {
    "too-big-6": too_large,
    "graph-waiting-1": left_alone,
    "own-from-not-mailbox-1": strange_from,
    "account-disabled-2": denied_with(b"The account is disabled."),
    "password-expired-2": denied_with(b"The password has expired."),
    "token-missing-1": answered_with(Said(as_json(SECRET_EXPIRED), 401)),
    "token-authority-away-1": nobody_gives_tokens,
    "token-authority-away-2": answered_with(Said(b"", 503)),
    "sign-in-unreadable-1": signed_in_elsewhere,
}
"""By the sample that they bring about."""


@pytest.mark.parametrize("sample", at("emaild", these=SCENES))
def test_what_we_say_of_clouds_leads_to_its_cause(authority: Authority, tmp_path: Path, sample: Sample) -> None:
    with ExitStack() as stage:
        found = SCENES[str(sample)](stage, authority, tmp_path)
    assert (found.cause, bare(found.words)) == (sample.cause, bare(sample.words))
    assert bare(found.action) == bare(sample.action)
