"""Large mails over EWS cost their own bytes and little more, though base64 and XML would make several of each."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.adapters.ews_ways import ANN
from tests.adapters.ways import RAW
from tests.servers.authority import Authority
from tests.servers.ews import Exchange
from tests.servers.ews_mailbox import Mailbox

MIB = 1 << 20
LARGE = 48 * MIB  # octets of a mail; what is around it costs some MiB
SCRIPT = """
import json, re, sys
from pathlib import Path
from emaild.message import Outbound
from tests.adapters.ews_ways import Ways
from tests.servers.authority import Authority

class There:
    url, ca_file = sys.argv[1], Path(sys.argv[2])

def resident(field):
    return int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

def measured(act):
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): VmHWM begins anew
    before = resident("VmRSS")
    kept = act()
    return kept, resident("VmHWM") - before

def taken():
    ((mail,),) = source.fetch(source.look(None).keys)
    return mail.raw

with Ways(There, There) as ways:
    source, sink = ways.source(protocol_timeout=60.0, maximum_msg_size=200 << 20), ways.sink(protocol_timeout=60.0)
    source.open()
    raw, read = measured(taken)
    mail = Outbound(id="1", way_out="smtp-client", sender="a@example.com", recipients=("one@example.net",),
                    message_id="<one@example.com>", raw=raw)
    receipts, sent = measured(lambda: sink.send(mail))
    print(json.dumps({"octets": len(raw), "read": read, "sent": sent, "states": [one.state for one in receipts]}))
"""


def test_large_mail_is_in_memory_once_as_it_comes_and_not_again_as_it_goes(
    exchange: Exchange, ann: Mailbox, authority: Authority
) -> None:
    """In a process of its own. NTLM, so that a mail of that size might go out three times."""
    exchange.offers = ("NTLM",)
    raw = b"To: one@example.net\r\n" + RAW + (b"0123456789" * 7 + b"\r\n") * (LARGE // 72)
    ann.drop(raw)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, exchange.url, str(authority.ca_file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["octets"], told["states"]) == (len(raw), ["SENT"])
    assert exchange.sent == [(ANN, raw, False)]
    assert exchange.received < len(raw) * 1.4
    assert told["read"] < len(raw) * 1.25 + 16 * MIB
    assert told["sent"] < 16 * MIB
