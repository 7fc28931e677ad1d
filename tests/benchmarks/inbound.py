"""How fast a full mailbox is read, from Dovecot over TLS to what is durable, beside mbsync, getmail6 and fetchmail.

    python -m tests.benchmarks.inbound [--mails 2000] [--rounds 3] [--only WORDS] [--json FILE]

Each way reads the corpus from a mailbox of its own that nobody has read before; the ways take turns. Programs are timed
from their start to their end; emaild, which does not end, from its sign-in until the last interaction is in the store,
and then all interactions are looked at: each mail once, byte for byte, classified, in threads, its files named.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from email import message_from_bytes
from pathlib import Path

from tests.benchmarks import inbound_bare as bare
from tests.benchmarks import inbound_programs as programs
from tests.benchmarks.corpus import corpus
from tests.benchmarks.figures import Figure, Table, aimed, beside, median, options, told
from tests.benchmarks.inbound_mailbox import Mailbox, Took
from tests.benchmarks.missing import needed, there, version_of
from tests.servers.authority import new_authority
from tests.servers.dovecot import Dovecot
from tests.servers.processes import Home, unprivileged

Way = Callable[[Mailbox], Took]

IMAP, POP3, RIVAL = "emaild, IMAP", "emaild, POP3", "mbsync"
IMAP_LIMIT, POP3_LIMIT = "bare limit, IMAP", "bare limit, POP3"
LIMITS = {IMAP: IMAP_LIMIT, POP3: POP3_LIMIT}
LEAST = 40  # percent of the limit
PROGRAMS: dict[str, Way] = {
    IMAP: programs.emaild_imap,
    POP3: programs.emaild_pop3,
    RIVAL: programs.mbsync,
    "getmail6, IMAP": programs.getmail("SimpleIMAPSSLRetriever"),
    "getmail6, POP3": programs.getmail("SimplePOP3SSLRetriever"),
    "fetchmail, IMAP": programs.fetchmail("IMAP"),
    "fetchmail, POP3": programs.fetchmail("POP3"),
    IMAP_LIMIT: bare.by_imaplib,
    POP3_LIMIT: bare.by_pipelined_pop3,
}
PARTS: dict[str, Way] = {
    "IMAPClient and fsync": bare.by_imapclient,
    "poplib and fsync": bare.by_poplib,
    "standard parser, compat32": bare.by_compat32,
    "standard parser, policy.default": bare.by_policy_default,
    "SQLite, rows of 20 KB": bare.by_sqlite,
}
SLOW = 5  # getmail6 and fetchmail read that part of the mails: they take up to a hundred times as long for each
NEEDED = {"mbsync": "mbsync", "getmail6": "getmail", "fetchmail": "fetchmail"}
ABOUT = (
    "{mails:,} mails (70 % of 2 KB, 25 % of 20 KB, 5 % of 200 KB) read from Dovecot over TLS until all are durable: by"
    " emaild from its sign-in to the last interaction stored, classified, its files named; by mbsync, getmail6 and"
    " fetchmail (with dovecot-lda; these two read a fifth of the mails) into a Maildir, from start to end; by the bare"
    " limit (ranges of 50 over imaplib, 50 RETR at once over POP3) into one file with an fsync every 50, nothing"
    " understood."
)
ABOUT_CPU = "Processor time of the programs themselves for one of these mails, without the server."
ABOUT_PARTS = "What parts of that cost alone: the same mails fetched, parsed; as many rows stored, 50 a commit."


def main() -> None:
    arguments = options(__doc__)
    arguments.add_argument("--mails", type=int, default=2000, help="a multiple of 20")
    arguments.add_argument("--only", nargs="+", default=("",), metavar="WORD", help="the ways whose names hold one")
    given = arguments.parse_args()
    told(measured(given.mails, given.rounds, given.only), given.json)


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """Inbound, its processor time, and its parts alone. Quick: with twenty mails."""
    return measured(20 if quick else 2000, rounds)


def measured(mails: int, rounds: int, only: Sequence[str] = ("",)) -> list[Table]:
    """The tables of those ways whose names hold one of these words."""
    needed("openssl", "dovecot")
    absent = {name for name, program in NEEDED.items() if not there(program)}
    ways = {
        name: way
        for name, way in {**PROGRAMS, **PARTS}.items()
        if any(word in name for word in only) and name.split(",")[0] not in absent
    }
    taken = _taken(ways, mails, rounds)
    rates = {
        name: median(name, "mails/s", [read_by(name, mails) / one.seconds for one in found])
        for name, found in taken.items()
    }
    spent = [
        median(name, "ms", [one.cpu / read_by(name, mails) * 1000 for one in found]) for name, found in taken.items()
    ]
    versions = (
        version_of("dovecot", "Dovecot"),
        version_of("mbsync", "isync"),
        version_of("getmail", "getmail6"),
        version_of("fetchmail", "fetchmail"),
    )
    tables = [
        Table("Inbound", ABOUT.format(mails=mails), _compared(rates), programs=versions),
        Table("Inbound, processor time", ABOUT_CPU, tuple(one for one in spent if one.name in PROGRAMS)),
        Table("Inbound, parts alone", ABOUT_PARTS, tuple(one for name, one in rates.items() if name in PARTS)),
    ]
    return [table for table in tables if table.figures]


def read_by(name: str, mails: int) -> int:
    """How many mails that way reads, of so many."""
    return max(20, mails // SLOW // 20 * 20) if name.startswith(("getmail6", "fetchmail")) else mails


def _taken(ways: Mapping[str, Way], count: int, rounds: int) -> dict[str, list[Took]]:
    mails = {size: tuple(corpus(size)) for size in {read_by(name, count) for name in ways}}
    files = {
        size: sum(part.get_filename() is not None for raw in some for part in message_from_bytes(raw).walk())
        for size, some in mails.items()
    }
    taken: dict[str, list[Took]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory(prefix="emaild-benchmark-") as folder:
        authority = new_authority(Path(folder))
        with Dovecot(authority) as server:
            for turn in range(rounds):
                for number, (name, way) in enumerate(ways.items()):
                    size = read_by(name, count)
                    home, user = Home("inbound", unprivileged()), f"inbound-{turn}-{number}"
                    try:
                        server.drop(user, mails[size])
                        os.sync()  # or the first fsync of the program would bring the mailbox itself to the disk
                        taken[name].append(way(Mailbox(server, authority, user, mails[size], files[size], home)))
                    finally:
                        home.remove()
    return taken


def _compared(rates: Mapping[str, Figure]) -> tuple[Figure, ...]:
    """The programs, ours beside mbsync, and what ours are of the limit."""
    found = [figure for name, figure in rates.items() if name in PROGRAMS]
    if rival := rates.get(RIVAL):
        found = [beside(one, rival) if one.name != RIVAL else one for one in found]
        found = [
            aimed(one, f"faster than {RIVAL}", one.value > rival.value) if one.name in LIMITS else one for one in found
        ]
    for name, limit in LIMITS.items():
        if name in rates and limit in rates:
            shares = zip(rates[name].rounds, rates[limit].rounds, strict=True)
            share = median(f"{name}, of the bare limit", "%", [100 * ours / bare for ours, bare in shares])
            found.append(aimed(share, f"above {LEAST} %", share.value > LEAST))
    return tuple(found)


if __name__ == "__main__":
    main()
