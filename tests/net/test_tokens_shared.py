"""One sign-in of many sections: who asks with it, and what follows it, whatever happens meanwhile."""

from __future__ import annotations

import gc
import os
import signal
import threading
from pathlib import Path

import pytest

from emaild.errors import RemoteError, Unreachable
from emaild.interrupts import bounded
from emaild.net.oauth import Sealed, SectionTokens, Tokens
from emaild.net.oauth.apart import CalledOff, Stop
from tests.said import Said as Log
from tests.servers.authority import Authority
from tests.servers.authorization import Asked, AuthorizationServer, Said
from tests.servers.wait import eventually
from tests.tokens import TokenOffice

SIGNED_IN = {"grant_type": "authorization_code", "password": ""}
SENDING = {**SIGNED_IN, "scope": "https://outlook.office.com/SMTP.Send"}


@pytest.fixture
def office(authorization: AuthorizationServer, authority: Authority, tmp_path: Path) -> TokenOffice:
    made = TokenOffice(authorization, authority, tmp_path)
    made.sign_in(made.section(**SIGNED_IN))
    return made


class Gate:
    """An authority that answers a request for a token when it is opened."""

    def __init__(self, office: TokenOffice) -> None:
        self.opened = threading.Event()
        self.waiting = threading.Semaphore(0)
        office.server.judge = self._judge

    def _judge(self, asked: Asked) -> Said | None:
        if asked.path.endswith("/token"):
            self.waiting.release()
            self.opened.wait(60)
        return None

    def holds(self) -> None:
        """Somebody waits for it."""
        assert self.waiting.acquire(timeout=20)


class Asking(threading.Thread):
    """Asks for a token in a thread of its own."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(daemon=True)
        self._tokens = tokens
        self.got = ""
        self.error: RemoteError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.got = self._tokens.token().reveal()
        except RemoteError as error:
            self.error = error

    def end(self) -> str:
        self.join(30)
        assert self.error is None, self.error
        return self.got


@pytest.mark.parametrize("rotate", [True, False])
def test_sections_with_other_scopes_take_turns_with_the_sign_in_that_they_share(
    office: TokenOffice, rotate: bool
) -> None:
    office.server.realm.rotate = rotate
    gate = Gate(office)
    one = Asking(office.tokens(**SIGNED_IN))
    gate.holds()
    other = Asking(office.tokens(**SENDING))
    gate.opened.set()
    assert one.end() != other.end()
    used = [form["refresh_token"] for form in office.server.grants]
    assert len({*used}) == (2 if rotate else 1)


def test_processes_take_turns_with_the_sign_in_that_they_share(office: TokenOffice) -> None:
    begin, told = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.read(begin, 1)
            office.sealed = Sealed(office.state)
            office.tokens(**SIGNED_IN).token()
            code = 0
        finally:
            os._exit(code)
    gate = Gate(office)
    here = Asking(office.tokens(**SIGNED_IN))
    gate.holds()
    os.write(told, b"x")
    assert not gate.waiting.acquire(timeout=2), "the other process asks meanwhile"
    gate.opened.set()
    assert here.end()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len({form["refresh_token"] for form in office.server.grants}) == 2


def test_refused_refresh_token_is_followed_by_the_one_that_somebody_left_meanwhile(office: TokenOffice) -> None:
    gate = Gate(office)
    asking = Asking(office.tokens(**SIGNED_IN))
    gate.holds()
    office.server.realm.refresh_tokens.clear()
    newer = office.sign_in(office.section(**SIGNED_IN))
    gate.opened.set()
    assert asking.end()
    assert [form["refresh_token"] for form in office.server.grants][1:] == [newer]


# A disk that is full for a while


def full(monkeypatch: pytest.MonkeyPatch, office: TokenOffice) -> None:
    def refuse(name: str, old: object, new: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(office.sealed, "replace", refuse)


def test_refresh_token_that_could_not_be_kept_is_used_by_the_other_sections(
    office: TokenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, office)
    assert office.tokens(**SIGNED_IN).token()
    assert office.tokens(**SENDING).token()


def test_refresh_token_that_could_not_be_kept_is_kept_at_the_next_use_though_nothing_is_asked_for(
    office: TokenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, office)
    tokens = office.tokens(**SIGNED_IN)
    token = tokens.token()
    monkeypatch.undo()
    assert tokens.token() == token
    office.sealed = Sealed(office.state)
    assert office.tokens(**SIGNED_IN).token()


def test_refresh_token_that_could_not_be_kept_outlives_its_section_and_is_kept_when_asked_to(
    office: TokenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, office)
    tokens = office.tokens(**SIGNED_IN)
    tokens.token()
    del tokens
    gc.collect()
    assert not office.sealed.flush()
    monkeypatch.undo()
    assert office.sealed.flush()
    office.sealed = Sealed(office.state)
    assert office.tokens(**SIGNED_IN).token()


def test_alarm_is_heard_after_the_refresh_token_is_kept(office: TokenOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    real, said = os.fsync, Log()

    def interrupted(descriptor: int) -> None:
        os.kill(os.getpid(), signal.SIGALRM)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", interrupted)
    tokens = office.tokens(**SIGNED_IN)
    with pytest.raises(TimeoutError), bounded(60):
        tokens.token()
    monkeypatch.undo()
    assert said.all("token.not_kept") == []
    office.sealed = Sealed(office.state)
    assert office.tokens(**SIGNED_IN).token()


# Those who need not wait


def test_valid_token_is_given_at_once_while_another_thread_asks_for_the_next(office: TokenOffice) -> None:
    tokens = office.tokens(**SIGNED_IN)
    first = tokens.token().reveal()
    office.clock.advance(3600 - 240)
    gate = Gate(office)
    asking = Asking(tokens)
    gate.holds()
    assert tokens.token().reveal() == first
    gate.opened.set()
    assert asking.end() != first
    assert len(office.server.grants) == 2


@pytest.mark.parametrize("way", ["password", "authorization_code"])
def test_whoever_waits_for_an_authority_that_hangs_is_let_go_when_emaild_ends(office: TokenOffice, way: str) -> None:
    gate = Gate(office)
    tokens = office.tokens(**(SIGNED_IN if way == "authorization_code" else {}))
    assert isinstance(tokens, SectionTokens)
    asking = [Asking(tokens) for _ in range(3)]
    gate.holds()
    tokens.give_up()
    try:
        for one in asking:
            eventually(lambda one=one: not one.is_alive(), within=20)  # type: ignore[misc]
        assert {type(one.error) for one in asking} == {Unreachable}
        assert len(office.server.grants) == 1
    finally:
        gate.opened.set()


def test_refresh_token_that_comes_a_moment_after_the_end_is_kept(office: TokenOffice) -> None:
    gate = Gate(office)
    tokens = office.tokens(**SIGNED_IN)
    assert isinstance(tokens, SectionTokens)
    asking = Asking(tokens)
    gate.holds()
    tokens.give_up()
    gate.opened.set()
    assert asking.end()
    office.sealed = Sealed(office.state)
    del tokens, asking
    gc.collect()
    assert office.tokens(**SIGNED_IN).token()


def test_call_that_is_off_is_not_begun() -> None:
    stop = Stop()
    stop.stop()
    with pytest.raises(CalledOff):
        stop.wait_for(lambda: pytest.fail("it was begun"))
