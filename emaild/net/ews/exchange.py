"""One Exchange server, asked as one section asks it."""

from __future__ import annotations

from typing import Any

from exchangelib.errors import EWSError, ResponseMessageError

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net import retry_after, steps
from emaild.net.ews.answers import Refused, refusal, shown
from emaild.net.ews.door import SMALL_ANSWER, Door
from emaild.net.ews.place import Place
from emaild.net.ews.reading import Unreadable
from emaild.net.ews.signing import ByPassword, ByToken
from emaild.net.ews.soap import OTHER_VERSION, Protocol, service_for
from emaild.net.ews.statuses import Unauthorized
from emaild.net.oauth.tokens import Tokens
from emaild.settings.ews import VERSIONS
from emaild.settings.secret import Secret

ASKING = ("ask", "read the answer")


class Exchange:
    """A server and who we are to it. Used by one thread at a time; after a RemoteError it may be used again.

    *mailbox* is whose folders are meant, where that is not the one who signs in; *impersonates*: by acting as them
    (ApplicationImpersonation), else as a delegate.
    """

    def __init__(
        self,
        place: Place,
        signs_in: tuple[str, Secret] | Tokens,
        *,
        mailbox: str = "",
        impersonates: bool = False,
        version: str = "",
    ) -> None:
        self.where = str(place.peer)
        self.mailbox = mailbox
        self._impersonated = mailbox if impersonates else ""
        self._given_version = version
        self._door = Door(place.peer)
        self._auth = (
            ByPassword(*signs_in, place.peer, self._door)
            if isinstance(signs_in, tuple)
            else ByToken(signs_in, place.peer)
        )
        self._protocol = Protocol(place, self._door, self._auth, version or VERSIONS[0])

    @property
    def delegate_for(self) -> str:
        """Whose folder is to be named in requests; empty: our own, or of the one whom we are for the server."""
        return "" if self._impersonated else self.mailbox

    @property
    def suppresses_receipts(self) -> bool:
        """Whether SuppressReadReceipts may be said (Exchange 2013 SP1 and later)."""
        version = self._protocol.config.version.api_version
        return version in VERSIONS[: VERSIONS.index("Exchange2013_SP1") + 1]

    def ask(self, request: Any, action: str, *, most: int = SMALL_ANSWER, mail: bytes = b"") -> list[Any]:
        """The response messages to *request*, an element such as m:GetItem; *most* bytes are read.

        *mail* goes where the request has MAIL_HERE. A message may say that what it answers was refused: see `refusal`.

        Raises:
            RemoteError: no answer, or one that is about the whole request; Busy with the time that the server asks for.
        """
        try:
            try:
                answers = self._ask(request, most, mail)
            except _TokenRefused as refused:
                steps.fail(refused.reason, refused.action)
                # With another token; where that is refused, too, `token` says why.
                answers = self._ask(request, most, mail)
            steps.tell(f"{action}: {len(answers)} answered")
            return answers
        except RemoteError as error:
            self.close()
            at = action if error.action in ASKING else error.action
            raise type(error)(error.where, at, error.reason, error.retry_after) from error
        except Refused as error:
            raise self.meaning(error, action) from error

    def each(self, request: Any, action: str, count: int, *, most: int = SMALL_ANSWER) -> list[Any]:
        """The response messages to a request about *count* things, which they are matched with by their order alone.

        Raises:
            RemoteError: as `ask`; Unreachable also where there are fewer or more, for then nobody knows of which.
        """
        messages = self.ask(request, action, most=most)
        if len(messages) != count:
            raise Unreachable(self.where, action, f"{count} answers were asked for, {len(messages)} came")
        return messages

    def first(self, request: Any, action: str, *, mail: bytes = b"") -> Any:
        """The first response message, of a request that has no more. Raises RemoteError as `ask`."""
        messages = self.ask(request, action, mail=mail)
        if not messages:
            raise Unreachable(self.where, action, "the answer is empty")
        return messages[0]

    def one(self, request: Any, action: str) -> Any:
        """The first response message. Raises RemoteError where it says no, too."""
        message = self.first(request, action)
        wrong = refusal(message)
        if wrong is not None:
            raise self.meaning(wrong, action) from wrong
        return message

    def meaning(self, error: Refused, action: str) -> RemoteError:
        """What a code means for the section as a whole."""
        if error.passes:
            return Busy(self.where, action, str(error), min(error.back_off, retry_after.LONGEST))
        return Rejected(self.where, action, str(error))

    @property
    def tls(self) -> str:
        """The version and the cipher of the newest connection; empty without TLS."""
        return self._door.tls

    @property
    def connected(self) -> bool:
        """Whether there may be a connection to be closed."""
        return self._door.connection is not None

    def close(self) -> None:
        """Drop the connection."""
        self._protocol.close()
        self._door.close()
        self._auth.forget()

    def _ask(self, request: Any, most: int, mail: bytes) -> list[Any]:
        self._door.most = most
        service = service_for(request)(self._protocol, self._impersonated, self._given_version, mail)
        try:
            return service.messages(request)
        except Unauthorized as error:
            raise self._not_in(error.reason) from error
        except Unreadable as error:
            raise Unreachable(self.where, "read the answer", str(error)) from error
        except tuple(OTHER_VERSION.values()) as error:
            raise Rejected(self.where, "agree on a version", self._other_version(error)) from error
        except ResponseMessageError as error:  # exchangelib names them by their codes
            raise Refused(type(error).__name__, shown(self._protocol.mask(str(error)))) from error
        except EWSError as error:
            raise Unreachable(self.where, "read the answer", shown(self._protocol.mask(str(error)))) from error

    def _not_in(self, reason: str) -> Rejected:
        if isinstance(self._auth, ByToken):
            self._auth.tokens.refused(self._auth.last)
            return _TokenRefused(self.where, "sign in", reason or "the server refused the token")
        return Rejected(self.where, "sign in", reason or "wrong user or password, or the mailbox may not use EWS")

    def _other_version(self, error: Exception) -> str:
        asked = f"exchange-version = {self._given_version}" if self._given_version else "any version of EWS"
        calls = self._protocol.server_version
        itself = f"; it calls itself {calls}" if calls else ""
        return f"{type(error).__name__}: the server does not know {asked}{itself}"


class _TokenRefused(Rejected):
    """The token was told of as refused; another one may be asked for."""
