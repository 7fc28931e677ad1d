"""The servers that any test may ask for by name. Factories take the arguments of the class they make."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from weakref import WeakValueDictionary

import pytest

from tests.servers.authority import Authority, new_authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.ports import ReservedPort
from tests.servers.postfix import Postfix
from tests.servers.scripted import Scripted
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """What is known of servers is forgotten: a test may be given the port of an earlier test's."""
    with pytest.MonkeyPatch.context() as forgotten:
        forgotten.setattr("emaild.net.proxy._found", {})
        forgotten.setattr("emaild.net.graph_lane._lanes", WeakValueDictionary())
        forgotten.setattr("emaild.sources.imap_seats._all", WeakValueDictionary())
        yield


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of every test server."""
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def authorization(authority: Authority) -> Iterator[AuthorizationServer]:
    """An authorization server that nobody is known to yet."""
    with AuthorizationServer(authority) as server:
        yield server


@pytest.fixture(scope="session")
def dovecot(authority: Authority) -> Iterator[Dovecot]:
    """One Dovecot for all tests of a process: each test uses user names of its own and leaves it running."""
    with Dovecot(authority) as server:
        yield server


@pytest.fixture
def postfix() -> Iterator[Callable[..., Postfix]]:
    """Makes running Postfix servers, which end with the test."""
    with ExitStack() as stack:
        yield lambda **given: stack.enter_context(Postfix(**given))


@pytest.fixture
def smtp_sink() -> Iterator[Callable[..., SmtpSink]]:
    """Makes running smtp-sinks, which end with the test."""
    with ExitStack() as stack:
        yield lambda **given: stack.enter_context(SmtpSink(**given))


@pytest.fixture
def faulty_smtp() -> Iterator[Callable[..., FaultySmtp]]:
    """Makes running FaultySmtp servers, which end with the test."""
    with ExitStack() as stack:
        yield lambda **given: stack.enter_context(FaultySmtp(**given))


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """Makes running Scripted servers, which end with the test and raise what their handler found wrong."""
    with ExitStack() as stack:
        yield lambda handler, **given: stack.enter_context(Scripted(handler, **given))


@pytest.fixture
def free_port() -> Iterator[Callable[[], int]]:
    """Gives ports at which nobody listens, and which are nobody else's until the test ends."""
    with ExitStack() as stack:

        def number() -> int:
            port = ReservedPort()
            stack.callback(port.release)
            return port.number

        yield number
