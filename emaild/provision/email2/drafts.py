"""Accounts while a document changes them: nothing is kept until all of it is good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from emaild.provision.email2.places import GROUP, Code, Place, Refused, below
from emaild.settings.email2_nodes import NODES, OUTGOING, Operation
from emaild.settings.secret import MASK

Account = Mapping[str, str]
"""The values of an account by their nodes' names, secrets among them: it is never printed."""
ALTERNATIVE = ("SMTPALTAUTHNAME", "SMTPALTDOMAIN", "SMTPALTPASSWORD")


class Accounts(Protocol):
    """Where accounts are kept."""

    def find(self, guid: str) -> Account | None:
        """The account as it is kept, None where there is none."""

    def keep(self, changed: Mapping[str, Account | None]) -> None:
        """Keep all of these accounts as they are now, or none; None removes one.

        Raises:
            OperatorError: none was kept.
            RollBackFailed: some were, and cannot be taken back.
        """


class RollBackFailed(Exception):
    """A change that failed could not be taken back; the text names what must be looked at."""


@dataclass(frozen=True)
class Misfit:
    """What does not fit together in an account."""

    account: str
    node: str
    wrong: str
    others: tuple[str, ...] = ()
    """Nodes that are at fault where that one is not there."""

    def __str__(self) -> str:
        return f"{{{self.account}}} {self.node}: {self.wrong}"


class Draft:
    """The accounts as a document, or a part of it, would have them."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._changed: dict[str, dict[str, str] | None] = {}
        self._new: set[str] = set()
        self._refused: set[Place] = set()

    def account(self, guid: str) -> Account | None:
        """The account as the draft has it."""
        return self._changed[guid] if guid in self._changed else self._accounts.find(guid)

    def change(self, operation: Operation, place: Place, text: str) -> None:
        """Carry out an Add, Replace or Delete.

        Raises:
            Refused: the node does not allow it, or the value is none of its.
        """
        try:
            self._change(operation, place, text)
        except Refused:
            self._refused.add(place)
            raise

    def values(self, place: Place) -> dict[str, str]:
        """The values from a node on, for a Get; secrets are masked.

        Raises:
            Refused: there is no such account or node, or the root is asked for its accounts.
        """
        if not place.account:
            if place.listing:
                raise Refused(Code.NOT_ALLOWED, "accounts are not listed; ask for one by its GUID")
            return {}
        account = self.account(place.account)
        found = {name: account[name] for name in below(place.node) if name in account} if account is not None else {}
        if account is None or (place.node and not found):
            raise Refused(Code.NOT_FOUND, f"there is no {'node' if account is not None else 'account'} {place}")
        return {name: MASK if NODES[name].secret and value else value for name, value in found.items()}

    def misfits(self) -> list[Misfit]:
        """What does not fit together in the accounts that changed, but for nodes that were refused: that is known."""
        return [
            Misfit(guid, node, wrong, others)
            for guid, account in self._changed.items()
            if account is not None
            for node, wrong, others in _misfits(account, new=guid in self._new)
            if Place(guid, node) not in self._refused
        ]

    @property
    def changed(self) -> Mapping[str, Account | None]:
        """What is other than it was kept."""
        return {guid: account for guid, account in self._changed.items() if account != self._accounts.find(guid)}

    def keep(self) -> None:
        """Keep it; raises as `Accounts.keep`."""
        if self.changed:
            self._accounts.keep(self.changed)

    def _change(self, operation: Operation, place: Place, text: str) -> None:
        if not place.account:
            raise Refused(Code.NOT_ALLOWED, f"the root allows only Get, not {operation}")
        if operation is Operation.DELETE:
            self._delete(place)
        elif place.node in ("", GROUP):
            self._make(operation, place)
        else:
            self._write(operation, place, text)

    def _own(self, guid: str) -> dict[str, str]:
        account = self.account(guid)
        if account is None:
            self._new.add(guid)
        own = self._changed.get(guid)
        if own is None:
            own = self._changed[guid] = dict(account or {})
        return own

    def _make(self, operation: Operation, place: Place) -> None:
        account = self.account(place.account)
        there = account is not None and (not place.node or any(name in account for name in below(place.node)))
        if operation is Operation.ADD and there:
            raise Refused(Code.ALREADY_EXISTS, f"{place} is there already")
        self._own(place.account)

    def _write(self, operation: Operation, place: Place, text: str) -> None:
        node, account = NODES[place.node], self.account(place.account) or {}
        there = node.name in account
        # A Replace makes what is not there yet, and by what it is already nothing changes, whatever the node allows.
        allowed = operation is Operation.REPLACE and (not there or _read(place, text) == account[node.name])
        if operation not in node.operations and not allowed:
            instead = "remove the account and add it anew" if operation is Operation.REPLACE else "send Replace"
            raise Refused(Code.NOT_ALLOWED, f"{place} does not allow {operation}; {instead}")
        if operation is Operation.ADD and there:
            raise Refused(Code.ALREADY_EXISTS, f"{place} is there already")
        self._own(place.account)[node.name] = _read(place, text)

    def _delete(self, place: Place) -> None:
        account = self.account(place.account)
        found = [name for name in below(place.node) if account is not None and name in account]
        if account is None or (place.node and not found):
            raise Refused(Code.NOT_FOUND, f"there is no {'node' if account is not None else 'account'} {place}")
        if not place.node:
            self._changed[place.account] = None
            return
        if place.node != GROUP and Operation.DELETE not in NODES[place.node].operations:
            raise Refused(Code.NOT_ALLOWED, f"{place} does not allow {Operation.DELETE}")
        own = self._own(place.account)
        for name in found:
            del own[name]


def _read(place: Place, text: str) -> str:
    try:
        return NODES[place.node].read(text)
    except ValueError as error:
        raise Refused(Code.BAD_REQUEST, f"{place}: {error}") from error


def _misfits(account: Account, *, new: bool) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The node, what is wrong with it, and the nodes at fault where that one is not there."""
    for node in NODES.values():
        if not account.get(node.name):
            if node.required and (new or node.name not in OUTGOING):
                yield node.name, "it is missing", ()
        elif not node.secret:  # an operator may have changed the file, and may have named a secret by file:
            try:
                node.read(account[node.name])
            except ValueError as error:
                yield node.name, str(error), ()
    if account.get("KEEPMAX") and account.get("SERVICETYPE") == "POP3":
        yield "KEEPMAX", "it is for IMAP4 alone; leave it out for POP3", ("SERVICETYPE",)
    yield from _wrong_alternative(account)


def _wrong_alternative(account: Account) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """All of the other credentials for sending must be there, or none; a domain may be there and empty."""
    enabled = account.get("SMTPALTENABLED") == "TRUE"
    if not enabled and not any(account.get(name) for name in ALTERNATIVE):
        return
    for name in ALTERNATIVE:
        if name not in account or (not account[name] and name != "SMTPALTDOMAIN"):
            reason = "SMTPALTENABLED is TRUE" if enabled else "others of the SMTPALT nodes are there"
            others = ("SMTPALTENABLED", *ALTERNATIVE)
            yield name, f"it is missing, and {reason}; give all of them or none", others
