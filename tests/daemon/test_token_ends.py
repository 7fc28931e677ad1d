"""Tokens end while the daemon runs: mailboxes and ways out go on, and come back by themselves where they cannot."""

from __future__ import annotations

from tests.daemon.office import BOX, EVERYBODY, LIFE, MARGIN, POLLER, READER, SENDER, Office, sign_in


def test_idle_polls_and_a_kept_way_out_go_on_with_a_new_token_before_the_old_one_ends(office: Office) -> None:
    office.start(office.reader(), office.poller(), office.sender())
    for life in (1, 2, 3):
        office.arrives("a mail", READER, POLLER)
        mail_out = ("--from", SENDER, "--to", "a@example.net", "--subject", "x", "--text", "x\n")
        assert office.daemon.command("send", *mail_out).returncode == 0
        office.daemon.wait_for("outbound.sent", life)
        assert [len(office.dovecot.sessions(user, life)) for user in (READER, SENDER)] == [life] * 2
        assert [office.asked(user) for user in EVERYBODY] == [life] * 3
        office.passes(LIFE - MARGIN + 1)
        office.renews(life + 1, READER, POLLER)
    assert office.daemon.stop() == 0
    assert office.daemon.count("mailbox.failed") == office.daemon.count("way_out.failed") == 0


def test_an_authority_that_is_away_costs_nothing_while_the_token_lasts_and_then_a_while(office: Office) -> None:
    office.start(office.reader())
    office.arrives("one", READER)
    office.people.stop()
    office.passes(LIFE - MARGIN + 1)
    office.daemon.wait_for("token.not_renewed")
    office.arrives("two", READER)
    assert office.daemon.count("mailbox.failed") == 0
    office.passes(MARGIN)
    office.daemon.wait_for("mailbox.failed", within=30)
    office.people.start()
    office.clock.advance(LIFE)
    office.arrives("three", READER, within=60)
    office.daemon.wait_for("mailbox.recovered")
    assert office.daemon.stop() == 0


def test_a_sign_in_that_was_revoked_is_told_and_a_new_one_is_used_without_a_restart(office: Office) -> None:
    section = office.reader("authorization_code")
    (office.daemon.home / "state").mkdir(mode=0o700)
    office.daemon.configure(section)
    sign_in(office)
    office.start(section)
    office.arrives("one", READER)
    office.realm.revoke(READER)
    office.passes(LIFE)
    told = office.daemon.wait_for("mailbox.failed", within=30)[-1]
    assert f"emaild login {BOX}" in told["reason"]
    assert told["level"] == "error"
    sign_in(office)
    office.arrives("two", READER, within=60)
    assert office.daemon.count("daemon.started") == 1
    assert office.daemon.count("reload.done") == 0
    assert office.daemon.stop() == 0
