"""What an IMAP server says while we are in IDLE (RFC 2177)."""

from __future__ import annotations

from emaild.sources.imap_client import Client

MOST_LINES = 100  # that are read at once; a server that says more may say it for ever


def is_news(client: Client) -> bool:
    """Read what there is to read; False: it was untagged OKs alone, and IDLE goes on.

    Servers say `* OK Still here` every two minutes or so. A look into the folder costs a hundred times what reading
    that costs. Where nothing can be read it is news, too: the connection may have ended.

    Raises:
        OSError, IMAPClientError: the connection failed.
    """
    connection = client._imap
    connection.untagged_responses.clear()  # of the commands before
    for number in range(MOST_LINES):
        if not client.holds_unread_bytes():
            return number == 0
        connection._get_response()
        connection.untagged_responses.pop("OK", None)
        if connection.untagged_responses or any(connection.tagged_commands.values()):
            return True
    return True
