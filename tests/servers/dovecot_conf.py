"""The configuration of the tests' Dovecot: a whole server run by one ordinary account."""

from collections.abc import Mapping
from string import Template

PASSWORD = "secret"
REFUSED = "refused"
UNAVAILABLE = "unavailable"

PORTS = ("imap", "imaps", "pop3", "pop3s", "lmtp")

# An opening brace must end its line. Where a `chroot` is emptied, Dovecot would want root for it.
_TEMPLATE = Template(
    """\
base_dir = $home/run
state_dir = $home/state
log_path = $home/dovecot.log
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
default_process_limit = 200
default_client_limit = 20000
first_valid_uid = 1
protocols = imap pop3 lmtp
listen = 127.0.0.1

ssl = yes
ssl_cert = <$home/server.pem
ssl_key = <$home/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
# The default of 2 s would make every test of a wrong password slow.
auth_failure_delay = 0

# COMPRESS=DEFLATE (RFC 4978) is offered by a plugin.
mail_plugins = zlib
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 3000
# IDLE uses inotify, of which an account has few (fs.inotify.max_user_instances); without one Dovecot looks
# this often.
mailbox_idle_check_interval = 1s

# Any user with the one password, so that thousands of mailboxes need no set-up. A name that every passdb
# skips is a temporary failure: [UNAVAILABLE].
passdb {
  driver = static
  args = password=$password
  username_filter = !$refused* !$unavailable*
}
passdb {
  driver = static
  args = password={CRYPT}*
  username_filter = $refused*
}
userdb {
  driver = static
  args = uid=$user gid=$group home=$home/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  mailbox "Every Mail" {
    special_use = \\All
  }
}

service anvil {
  chroot =
  # Without the penalty a wrong password would delay every later login from 127.0.0.1, right ones too.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 2
  client_limit = 5000
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = $imaps
    ssl = yes
  }
}
service pop3-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 2
  client_limit = 5000
  inet_listener pop3 {
    port = $pop3
  }
  inet_listener pop3s {
    port = $pop3s
    ssl = yes
  }
}
service imap {
  process_limit = 3000
  client_limit = $connections_per_process
  service_count = $service_count
}
service pop3 {
  process_limit = 3000
}
service lmtp {
  inet_listener lmtp {
    port = $lmtp
  }
}
protocol imap {
  mail_plugins = zlib imap_zlib
}
protocol lmtp {
  postmaster_address = postmaster@example.com
}
"""
)


# What a server that takes tokens has besides: settings that come later replace earlier ones.
_TOKENS = Template(
    """\
protocols = imap pop3 lmtp submission
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $home/oauth2.conf.ext
}
submission_relay_host = 127.0.0.1
submission_relay_port = $relay
submission_relay_trusted = no
service submission-login {
  chroot =
  inet_listener submission {
    port = $submission
  }
}
"""
)

# Every sign-in is asked for (RFC 7662): what is remembered would let a revoked token in.
_INTROSPECTION = Template(
    """\
introspection_url = $url
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
tls_ca_cert_file = $home/ca.pem
timeout_msecs = 5000
"""
)


def introspection_conf(*, home: str, url: str) -> str:
    """The text of the file in which Dovecot finds whom to ask about a token."""
    return _INTROSPECTION.substitute(home=home, url=url)


def dovecot_conf(
    *, home: str, user: str, group: str, ports: Mapping[str, int], connections_per_process: int = 1
) -> str:
    """The text of dovecot.conf for a server whose files are in *home* and belong to *user*.

    With a port for `submission` it takes tokens, and passes mails on to the port `relay`.
    """
    template = Template(_TEMPLATE.template + _TOKENS.template) if "submission" in ports else _TEMPLATE
    return template.substitute(
        {name: str(port) for name, port in ports.items()},
        home=home,
        user=user,
        group=group,
        connections_per_process=str(connections_per_process),
        service_count="1" if connections_per_process == 1 else "0",  # how many a process serves, one after the other
        password=PASSWORD,
        refused=REFUSED,
        unavailable=UNAVAILABLE,
    )
