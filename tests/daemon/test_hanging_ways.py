"""A way out whose server hangs, and the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.daemon.harness import Emaild, smtp_section
from tests.daemon.test_outbox import send
from tests.servers.scripted import Scripted, silent
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually


def test_a_way_out_that_hangs_with_all_its_connections_leaves_workers_to_the_others(
    scripted: Callable[..., Scripted], smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    hanging, good = scripted(silent), smtp_sink()
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            smtp_section(hanging.port, "smtp-client-bad", cnx_pool_size=4, protocol_timeout="10m"),
            smtp_section(good.smtp, "smtp-client-good", server="localhost"),  # another host: each has half
            head="outbound-workers = 4\n",
        )
        for number in range(4):
            send(daemon, f"{number}@example.net", way_out="smtp-client-bad")
        daemon.start()
        eventually(lambda: hanging.connections >= 2, within=20)
        mail = send(daemon, "one@example.net", way_out="smtp-client-good")
        daemon.wait_for("outbound.sent", outbound=mail)
        assert hanging.connections == 2
        daemon.kill()
