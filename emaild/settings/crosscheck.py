"""What does not fit together across sections, and what an operator is warned of at every start."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from emaild.settings.agent import AgentSection
from emaild.settings.api import ApiTokenSection
from emaild.settings.by_token import GrantType, token_mechanisms
from emaild.settings.discovery import DiscoverySection
from emaild.settings.ews import ONLINE_ENDS, is_online
from emaild.settings.ini import Fault, Place
from emaild.settings.log import ELSEWHERE, LEVELS, LogSection
from emaild.settings.mailbox import WEB, MailboxSection, MailboxType
from emaild.settings.network import NO_PROXY, ProxySection
from emaild.settings.option import options, same_name
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import ProtocolProperties
from emaild.settings.property_map import CLASSES, FIELDS, full_name
from emaild.settings.routes import COMMAND_LINE, STATE_CALLER
from emaild.settings.rule import RuleSection
from emaild.settings.secret import Secret
from emaild.settings.server import Security, is_loopback
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.settings.webhook import WebhookSection

Origins = Mapping[tuple[str, str], Place]
ServerSection = MailboxSection | WayOutSection
Misfit = tuple[str, str, str]
"""Section, option, and what is wrong with it."""


def missing_sections(servers: Iterable[ServerSection], present: Container[str]) -> Iterator[Misfit]:
    """Sections that others name and that are not there; *present* are names in lower case, of wrong sections too."""
    for section in servers:
        yield from missing_proxies([section], present)
        if section.secret and f"secret-{section.secret.lower()}" not in present:
            wrong = f"there is no section [secret-{section.secret}]; expected the NAME of a [secret-NAME]"
            yield section.name, "secret", wrong


def missing_proxies(
    sections: Iterable[ServerSection | WebhookSection | DiscoverySection], present: Container[str]
) -> Iterator[Misfit]:
    """Proxies that sections name and that are not there; *present* is as above."""
    for section in sections:
        if section.proxy and section.proxy.lower() != NO_PROXY and f"proxy-{section.proxy.lower()}" not in present:
            wrong = f"there is no section [proxy-{section.proxy}]; expected the NAME of a [proxy-NAME], or {NO_PROXY}"
            yield section.name, "proxy", wrong


def missing_agents(rules: Iterable[RuleSection], present: Container[str]) -> Iterator[Misfit]:
    """Agents that rules name and that are not there; *present* is as above."""
    for rule in rules:
        for name, value in rule.parameters.items():
            if same_name(name) == "agent" and value and f"agent-{value.lower()}" not in present:
                yield rule.name, name, f"there is no section [agent-{value}]; expected the NAME of an [agent-NAME]"


def missing_ways(ways: Mapping[str, WayOutSection], processing: ProcessingSection) -> Iterator[Misfit]:
    """Ways out that are named and are not there, and fallbacks that lead back to where they began."""
    there = {name.lower(): way for name, way in ways.items()}
    usual = (("interactive-way-out", processing.interactive_way_out), ("batch-way-out", processing.batch_way_out))
    named = [("email-processing", option, name) for option, name in usual]
    named += [(way.name, "fallback", way.fallback) for way in ways.values()]
    for section, option, name in named:
        if name and name.lower() not in there:
            yield section, option, f"there is no section [{name}]; expected the name of an [smtp-client...] section"
    for way in ways.values():
        path = [way.name.lower()]
        while (following := there[path[-1]].fallback.lower()) in there:
            if following == path[0]:
                yield way.name, "fallback", f"it leads back to [{way.name}]; leave it out in one of the sections"
            if following in path:
                break
            path.append(following)


def unknown_callers(ways: Iterable[WayOutSection], present: Iterable[str]) -> Iterator[Misfit]:
    """Callers that nothing is: their mail never comes."""
    known = {COMMAND_LINE, STATE_CALLER, *map(str.lower, present)}
    for way in ways:
        for name in way.callers:
            if name.lower() not in known:
                yield (
                    way.name,
                    "callers",
                    f"nothing is called {name}; expected api-token-NAME, rule-NAME or {COMMAND_LINE}",
                )


def shared_claims(ways: Iterable[WayOutSection]) -> Iterator[Misfit]:
    """What two sections claim: the first has it, and of the other it is not meant to be idle."""
    first: dict[tuple[str, str], str] = {}
    for way in ways:
        for option in ("callers", "queues", "senders"):
            for claimed in getattr(way, option):
                names = {claimed.lower()}
                if option == "senders":  # who claims a domain has its addresses, too
                    names.add("@" + claimed.lower().rpartition("@")[2])
                taken = {first[option, name] for name in names if (option, name) in first} - {way.name}
                if taken:
                    yield way.name, option, f"{claimed} goes by [{min(taken)}], which claims it and comes first"
                first.setdefault((option, claimed.lower()), way.name)


def unknown_names(
    rules: Iterable[RuleSection],
    mailboxes: Mapping[str, MailboxSection],
    agents: Mapping[str, AgentSection],
    processing: ProcessingSection,
) -> Iterator[Misfit]:
    """Names that nothing has: a rule that waits for the mails of such a mailbox waits for ever."""
    known = {name.lower() for name in mailboxes} | {(box.address or box.mailbox).lower() for box in mailboxes.values()}
    for rule in rules:
        for name in rule.if_mailbox:
            if name.lower() not in known:
                yield rule.name, "if-mailbox", f"no mailbox is called {name}, by its section or its address"
    robot = processing.autobot_agent_login_name
    if robot and f"agent-{robot}".lower() not in map(str.lower, agents):
        wrong = f"there is no section [agent-{robot}], so that Agent.* is empty in automatic mails"
        yield "email-processing", "autobot-agent-login-name", wrong


def dangers(section: ServerSection) -> Iterator[tuple[str, str]]:
    """What an operator chose that lowers the guard, or that cannot work as it stands, as (option, message)."""
    if isinstance(section, MailboxSection):
        web, group, properties = section.type in WEB, section.type.value.lower(), section.protocol
        signs_in, security_option = True, "pop-connection-security"
    else:
        web, group, properties = section.server_type is not ServerType.SMTP, "smtp", section.smtp
        signs_in, security_option = section.enable_authentication, "smtp-connection-security"
        yield from section.signing_dangers((section.sender_override,) if section.sender_override else section.senders)
    yield from _weak_tls(properties, group)
    if section.uses_tokens:
        yield from section.token_doubts(section.password)
    elif isinstance(section, WayOutSection) and token_mechanisms(section.smtp) and not section.enable_authentication:
        yield "mail.smtp.auth.mechanisms", "nobody signs in; enable-authentication = true would be right"
    elif not web and not signs_in and section.password is not None:
        yield "password", "it is not used, for nobody signs in; enable-authentication = true would be right"
    if section.uses_tokens and section.grant_type is GrantType.PASSWORD and not section.is_google:
        wrong = "it works only as long as no multi-factor sign-in and no Conditional Access reaches the user"
        yield "grant-type", f"{wrong}; authorization_code or client_credentials would be right"
    if web:
        yield from _plain_url(section)
        if _speaks_ews(section) and is_online(section.server):
            yield "server", f"{ONLINE_ENDS}; type or server-type graph would be right"
        return
    if section.allow_plaintext_auth:
        yield "allow-plaintext-auth", "a password may travel unencrypted, and anyone on the way can read it"
    elif signs_in and _stays_plain(section) and not is_loopback(section.server):
        shown = "token" if section.uses_tokens else "password"
        wrong = f"without encryption there will be no sign-in, for the {shown} could be read on the way"
        yield security_option, f"{wrong}; ssl-tls or start-tls would be right"


def _speaks_ews(section: ServerSection) -> bool:
    if isinstance(section, MailboxSection):
        return section.type is MailboxType.EWS
    return section.server_type is ServerType.EWS


def _plain_url(section: ServerSection) -> Iterator[tuple[str, str]]:
    if section.allow_plaintext_auth:
        yield "allow-plaintext-auth", "a password or token may travel unencrypted, and anyone on the way can read it"
    elif section.server.lower().startswith("http:") and not is_loopback(urlsplit(section.server).hostname or ""):
        wrong = "there will be no sign-in" if section.uses_tokens else "there will be a sign-in by NTLM alone"
        yield "server", f"without encryption {wrong}, and anyone on the way can read the mails; https would be right"


def _stays_plain(section: ServerSection) -> bool:
    return section.security is Security.NONE and not section.transport.starttls_if_offered


def _weak_tls(properties: ProtocolProperties, group: str) -> Iterator[tuple[str, str]]:
    if not properties.ssl_checkserveridentity:
        yield full_name(group, "ssl.checkserveridentity"), "the server's name is not checked against its certificate"
    if properties.ssl_trust:
        hosts = ", ".join(properties.ssl_trust)
        yield full_name(group, "ssl.trust"), f"certificates are not verified for {hosts}"


def doubtful_proxies(proxies: Iterable[ProxySection]) -> Iterator[Misfit]:
    """Proxies that are not used for a word that other flags take for yes; the guide knows `true` alone."""
    for proxy in proxies:
        if proxy.use_proxy_text.strip().lower() not in ("true", "false", ""):
            yield proxy.name, "useProxy", "only true means that the proxy is used; it is not"


def shared_accounts(boxes: Mapping[str, MailboxSection]) -> Iterator[Misfit]:
    """Two sections that read one mailbox share its mails between them, which is seldom what was meant."""
    first: dict[str, str] = {}
    for name, box in boxes.items():
        if not box.enable_client:
            continue
        other = first.setdefault(box.account, name)
        if other != name:
            wrong = f"it reads the same mailbox as [{other}]; each mail becomes an interaction of one of the two"
            yield name, "mailbox", wrong


def shared_tokens(tokens: Mapping[str, ApiTokenSection]) -> Iterator[Misfit]:
    """A token of two sections: the log cannot tell who uses it, and one of the two is not as it was meant."""
    first: dict[str, str] = {}
    for name, section in tokens.items():
        other = first.setdefault(section.token.reveal(), name)
        if other != name and section.token.reveal():  # outside the unit credentials are not seen
            yield name, "token", f"it is that of [{other}], too; each program should have one of its own"


def idle_outputs(log: LogSection) -> Iterator[Misfit]:
    """Outputs of the log that only Genesys's other servers offer."""
    for level in LEVELS:
        for output in getattr(log, "all_" if level == "all" else level):
            if output in ELSEWHERE:
                yield "log", level, f"the output {output} has no effect here: it is one of Genesys's other servers"


def secrets_of(section: Any) -> Iterator[tuple[str, Secret]]:
    """The secrets of a section and of its properties, each with the option's name."""
    kind = type(section)
    if kind not in _secret_fields:
        _secret_fields[kind] = tuple(_find_secret_fields(kind))
    for name, inner, attribute in _secret_fields[kind]:
        value = getattr(getattr(section, inner) if inner else section, attribute)
        if isinstance(value, Secret):
            yield name, value


_secret_fields: dict[type[Any], tuple[tuple[str, str, str], ...]] = {}


def _find_secret_fields(kind: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Name of the option, the section's field with its group of properties ("": none), and the field in that."""
    yield from ((option.name, "", option.field) for option in options(kind) if option.parser.secret)
    for group, held in FIELDS.items():
        if held in kind.__dataclass_fields__:
            declared = options(CLASSES[group])
            yield from ((full_name(group, one.name), held, one.field) for one in declared if one.parser.secret)


def exposed(sections: Mapping[str, Any], origins: Origins) -> Iterator[Fault]:
    """Secrets in files that every user of the machine may read: one warning a file."""
    seen: set[Path] = set()
    for name, section in sections.items():
        for option, secret in secrets_of(section):
            place = origins.get((name, option))
            file = secret.file or (place.file if place and secret.literal else None)
            if place is None or file is None or file in seen:
                continue
            seen.add(file)
            if _readable_by_others(file):
                wrong = f"{file} holds a secret and every user may read it; 'chmod o= {file}' would be right"
                yield Fault(place, name, option, wrong)


def _readable_by_others(path: Path) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IROTH)
    except OSError:
        return False
