"""OMA DM: what becomes of the commands of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from emaild.errors import ConfigError, OperatorError
from emaild.provision.email2.commands import VERSIONS, Command, Item, Package
from emaild.provision.email2.drafts import Accounts, Draft, Misfit, RollBackFailed
from emaild.provision.email2.places import GROUP, Code, Place, Refused, place_of
from emaild.settings.email2_nodes import Operation

CHANGES = {"Add": Operation.ADD, "Replace": Operation.REPLACE, "Delete": Operation.DELETE}
KNOWN = ("Exec", "Copy", "Alert")
LEAF_FORMATS = ("", "chr", "int", "bool")


@dataclass(frozen=True)
class Result:
    """What a Get found: the address, the format of the node, and its value."""

    uri: str
    format: str
    data: str


@dataclass(frozen=True)
class Outcome:
    """What became of one item of a command; `words` say for people what was wrong."""

    command: Command
    code: int
    item: Item | None = None
    words: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it was not carried out."""
        return self.code != Code.OK


def outcomes(package: Package, accounts: Accounts) -> Iterator[Outcome]:
    """Carry the commands out in their order, and tell what became of each of their items."""
    if package.version not in VERSIONS:
        wrong = f"expected SyncML 1.1 or 1.2, found VerDTD {package.version[:20]!r}"
        yield Outcome(Command("SyncHdr", "0"), Code.DTD_VERSION, words=(wrong,))
        return
    yield Outcome(Command("SyncHdr", "0"), Code.OK)
    yield from _run(package.commands, accounts)


def _run(commands: Iterable[Command], accounts: Accounts) -> Iterator[Outcome]:
    for command in commands:
        if not command.number:
            yield Outcome(command, Code.BAD_REQUEST, words=(f"{command.name} has no CmdID",))
        elif command.name == "Atomic":
            yield from _atomic(command, accounts)
        elif command.name == "Sequence":
            yield Outcome(command, Code.OK)
            yield from _run(command.commands, accounts)
        elif command.name in ("Add", "Replace"):
            yield from _each(command, Code.NOT_ALLOWED, f"{command.name} must stand in an Atomic")
        else:
            for item in command.items or (None,):
                draft = Draft(accounts)
                yield _kept(_carried_out(command, item, draft), draft)


def _each(command: Command, code: Code, wrong: str) -> Iterator[Outcome]:
    for item in command.items or (None,):
        yield Outcome(command, code, item, (wrong,))


def _kept(outcome: Outcome, draft: Draft) -> Outcome:
    """One command that stands alone, with its change made."""
    if outcome.failed:
        return outcome
    if misfits := draft.misfits():
        return replace(outcome, code=Code.FAILED, words=tuple(map(str, misfits)))
    try:
        draft.keep()
    except OperatorError as error:
        return replace(outcome, code=Code.FAILED, words=_lines(error))
    except RollBackFailed as error:
        return replace(outcome, code=Code.FAILED, words=(str(error),))
    return outcome


def _atomic(atomic: Command, accounts: Accounts) -> Iterator[Outcome]:
    """All of its commands are carried out, or none; each that could not be has a code of its own."""
    draft = Draft(accounts)
    done = [one for command in atomic.commands for one in _inside(command, draft)]
    done, wrong = _blamed(done, draft.misfits())
    undone = Code.ROLLED_BACK
    if not wrong and not any(one.failed for one in done):
        try:
            draft.keep()
        except OperatorError as error:
            wrong = _lines(error)
        except RollBackFailed as error:
            undone, wrong = Code.ROLL_BACK_FAILED, (str(error),)
    if wrong or any(one.failed for one in done):
        yield Outcome(atomic, Code.ATOMIC_FAILED, words=wrong)
        yield from (one if one.failed else replace(one, code=undone) for one in done)
    else:
        yield Outcome(atomic, Code.OK)
        yield from done


def _blamed(done: Sequence[Outcome], misfits: Iterable[Misfit]) -> tuple[list[Outcome], tuple[str, ...]]:
    """The outcomes with each misfit at the item that is at fault, and the words for what no item says."""
    told, left = [*done], []
    items = {place_of(one.item.target): number for number, one in enumerate(done) if one.item and not one.failed}
    for misfit in misfits:
        places = (Place(misfit.account, node) for node in (misfit.node, *misfit.others))
        number = next((items[place] for place in places if place in items), None)
        if number is None:
            left.append(str(misfit))
        else:
            told[number] = replace(told[number], code=Code.BAD_REQUEST, words=(*told[number].words, str(misfit)))
    return told, tuple(left)


def _inside(command: Command, draft: Draft) -> Iterator[Outcome]:
    if not command.number:
        yield Outcome(command, Code.BAD_REQUEST, words=(f"{command.name} has no CmdID",))
    elif command.name in ("Atomic", "Get"):  # as Windows answers them
        yield from _each(command, Code.FAILED, f"{command.name} must not stand in an Atomic")
    elif command.name == "Sequence":
        yield Outcome(command, Code.OK)
        for one in command.commands:
            yield from _inside(one, draft)
    else:
        yield from (_carried_out(command, item, draft) for item in command.items or (None,))


def _carried_out(command: Command, item: Item | None, draft: Draft) -> Outcome:
    try:
        if command.name not in (*CHANGES, "Get"):
            known = command.name in KNOWN
            code = Code.NOT_SUPPORTED if known else Code.BAD_REQUEST
            raise Refused(code, f"{command.name[:40]} is {'not supported' if known else 'no command of OMA DM'}")
        if item is None or not item.target:
            raise Refused(Code.BAD_REQUEST, f"{command.name} names no Target")
        place = place_of(item.target)
        if command.name == "Get":
            return Outcome(command, Code.OK, item, results=tuple(_results(item.target, place, draft)))
        if command.name != "Delete":
            _check_format(item, place)
        draft.change(CHANGES[command.name], place, item.data)
    except Refused as error:
        return Outcome(command, error.code, item, (str(error),))
    except OperatorError as error:  # its file cannot be read
        return Outcome(command, Code.FAILED, item, _lines(error))
    return Outcome(command, Code.OK, item)


def _check_format(item: Item, place: Place) -> None:
    """A node with nodes below it has the format node, or none is given; all others are text."""
    if place.node in ("", GROUP):
        if item.format not in ("", "node"):
            raise Refused(Code.WRONG_FORMAT, f"{place}: expected the Format node, found {item.format[:20]!r}")
    elif item.format not in LEAF_FORMATS:
        raise Refused(Code.WRONG_FORMAT, f"{place}: expected the Format chr, found {item.format[:20]!r}")
    elif item.type.partition(";")[0].strip() not in ("", "text/plain"):
        raise Refused(Code.WRONG_FORMAT, f"{place}: expected the Type text/plain, found {item.type[:40]!r}")


def _results(uri: str, place: Place, draft: Draft) -> Iterator[Result]:
    """A value; for a node above others their names, with `?list=` each of them."""
    values = draft.values(place)
    if place.node and place.node != GROUP:
        yield Result(uri, "chr", values[place.node])
        return
    start = f"{GROUP}/" if place.node else ""
    names = dict.fromkeys(name.removeprefix(start).partition("/")[0] for name in values)
    yield Result(uri.partition("?")[0], "node", "/".join(names))
    if place.listing:
        base = uri.partition("?")[0].rstrip("/")
        for name, value in values.items():
            yield Result(f"{base}/{name.removeprefix(start)}", "chr", value if place.listing == "structdata" else "")


def _lines(error: OperatorError) -> tuple[str, ...]:
    return error.lines if isinstance(error, ConfigError) else (str(error),)
