"""Conf files -> one snapshot of settings, or every mistake in them at once.

A snapshot holds only values, defaults filled in: two that are equal mean that nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from emaild.errors import ConfigError
from emaild.settings.agent import AgentSection
from emaild.settings.api import ApiSection, ApiTokenSection
from emaild.settings.crosscheck import (
    ServerSection,
    dangers,
    doubtful_proxies,
    exposed,
    idle_outputs,
    missing_agents,
    missing_proxies,
    missing_sections,
    missing_ways,
    secrets_of,
    shared_accounts,
    shared_claims,
    shared_tokens,
    unknown_callers,
    unknown_names,
)
from emaild.settings.daemon import EmaildSection, StoreSection
from emaild.settings.discovery import DiscoverySection
from emaild.settings.doubtful_ways import doubtful_ways
from emaild.settings.email2 import Email2Section
from emaild.settings.files import Reading, read_files
from emaild.settings.ini import Fault, Place, RawSection, read
from emaild.settings.log import LogSection
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import NO_PROXY, EndpointsSection, ProxySection, SecretSection
from emaild.settings.option import same_name
from emaild.settings.processing import ProcessingSection
from emaild.settings.reader import ALIASES, Reader
from emaild.settings.routes import Wanted, way_out_for
from emaild.settings.rule import RuleSection
from emaild.settings.way_out import WayOutSection
from emaild.settings.webhook import WebhookSection

S = TypeVar("S")
N = TypeVar("N", MailboxSection, WayOutSection)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the conf files say. `origins` tells where an option was given; what is not in it is default.

    `files` are the conf files in the order of their reading, `secret_files` those that passwords were read from,
    and `watched` is all that a change may come from.
    """

    emaild: EmaildSection
    mailboxes: Mapping[str, MailboxSection]
    ways_out: Mapping[str, WayOutSection]
    processing: ProcessingSection
    rules: Mapping[str, RuleSection]
    agents: Mapping[str, AgentSection]
    proxies: Mapping[str, ProxySection]
    secrets: Mapping[str, SecretSection]
    endpoints: Mapping[str, EndpointsSection]
    api: ApiSection | None
    api_tokens: Mapping[str, ApiTokenSection]
    webhook: WebhookSection | None
    discovery: DiscoverySection
    email2: Mapping[str, Email2Section]
    store: StoreSection
    log: LogSection
    origins: Mapping[tuple[str, str], Place] = field(compare=False)
    files: tuple[Path, ...] = field(compare=False)
    watched: tuple[Path, ...] = field(compare=False)
    secret_files: tuple[Path, ...] = field(compare=False)
    digest: str = field(compare=False)
    warnings: tuple[Fault, ...] = field(compare=False)

    def sections(self) -> dict[str, Any]:
        """All sections by name, as `emaild show` lists them."""
        return {
            "emaild": self.emaild,
            **self.mailboxes,
            **self.ways_out,
            "email-processing": self.processing,
            **self.rules,
            **self.agents,
            **self.proxies,
            **self.secrets,
            **self.endpoints,
            **({"api": self.api} if self.api else {}),
            **self.api_tokens,
            **({"webhook": self.webhook} if self.webhook else {}),
            "discovery": self.discovery,
            **self.email2,
            "store": self.store,
            "log": self.log,
        }

    def servers(self) -> list[ServerSection]:
        """All sections with a server to connect to."""
        return [*self.mailboxes.values(), *self.ways_out.values()]

    def read_mailboxes(self) -> dict[str, MailboxSection]:
        """The mailboxes that are read: those that do not rest."""
        if not self.processing.enable_inbound_processor:
            return {}
        return {name: box for name, box in self.mailboxes.items() if box.enable_client}

    def used_ways_out(self) -> dict[str, WayOutSection]:
        """The ways out that mail leaves by: those that do not rest."""
        if not self.processing.enable_outbound_submitter:
            return {}
        return {name: way for name, way in self.ways_out.items() if way.enable_client}

    def way_out_for(self, wanted: Wanted) -> WayOutSection | None:
        """The way that this mail takes, None where there is no way out at all."""
        return way_out_for(wanted, self.ways_out, self.processing)

    def proxy_for(self, section: ServerSection | WebhookSection | DiscoverySection) -> ProxySection | None:
        """The proxy that a section's connections go through; None: none."""
        named = section.proxy.lower()
        if named == NO_PROXY:
            return None
        wanted = f"proxy-{named}" if named else "proxy"
        found = next((proxy for name, proxy in self.proxies.items() if name.lower() == wanted), None)
        return found if found is not None and found.use_proxy else None

    def agent(self, name: str) -> AgentSection | None:
        """The agent of that login name, in any case; None: there is none."""
        wanted = f"agent-{name}".lower()
        return next((agent for known, agent in self.agents.items() if known.lower() == wanted), None)

    def queue_for(self, section: MailboxSection) -> str:
        """The queue of a mailbox's interactions: its endpoint's, or the one it names, or the default."""
        wanted = same_name(section.endpoint)
        for tenant in self.endpoints.values():
            for endpoint, queue in tenant.entries.items():
                if same_name(endpoint) == wanted:
                    return queue
        return section.endpoint or self.processing.default_inbound_queue


def load(conf: Path, *, outside_unit: bool = False, instead: Mapping[Path, bytes | None] | None = None) -> Settings:
    """Read and check everything; *instead* as `read_files` has it, to see what a change would lead to.

    With *outside_unit* a systemd credential that is not to be found is a warning, its secret empty: only the unit
    sees all of them.

    Raises:
        ConfigError: with a line for every mistake found, in the order of files and lines.
    """
    reading = read_files(conf, instead)
    raw, faults = read(reading.files.items(), ALIASES)
    reader = Reader(raw, outside_unit=outside_unit)
    secrets = reader.family(SecretSection)
    boxes, ways = _informed(reader, MailboxSection, secrets), _informed(reader, WayOutSection, secrets)
    servers: list[ServerSection] = [*boxes.values(), *ways.values()]
    webhook = _if_there(reader, WebhookSection)
    discovery = reader.single(DiscoverySection)
    named = [*missing_sections(servers, raw), *missing_proxies([*([webhook] if webhook else []), discovery], raw)]
    named += missing_agents(reader.family(RuleSection).values(), raw)
    named += missing_ways(ways, reader.single(ProcessingSection))
    faults += [*reading.faults, *reader.faults, *(_placed(raw, *misfit) for misfit in named)]
    if faults:
        raise ConfigError(tuple(str(fault) for fault in _in_order(faults, reading)))
    settings = Settings(
        emaild=reader.single(EmaildSection),
        mailboxes=MappingProxyType(boxes),
        ways_out=MappingProxyType(ways),
        processing=reader.single(ProcessingSection),
        rules=MappingProxyType(reader.family(RuleSection)),
        agents=MappingProxyType(reader.family(AgentSection)),
        proxies=MappingProxyType(reader.family(ProxySection)),
        secrets=MappingProxyType(secrets),
        endpoints=MappingProxyType(reader.family(EndpointsSection)),
        api=_if_there(reader, ApiSection),
        api_tokens=MappingProxyType(reader.family(ApiTokenSection)),
        webhook=webhook,
        discovery=discovery,
        email2=MappingProxyType(reader.family(Email2Section)),
        store=reader.single(StoreSection),
        log=reader.single(LogSection),
        origins=MappingProxyType(reader.origins),
        files=tuple(reading.files),
        watched=(),
        secret_files=(),
        digest="",
        warnings=(),
    )
    return _completed(settings, raw, reader, reading)


def _completed(settings: Settings, raw: Mapping[str, RawSection], reader: Reader, reading: Reading) -> Settings:
    """With everything that can only be told of the whole."""
    sections = settings.sections()
    files = {secret.file: None for section in sections.values() for _, secret in secrets_of(section) if secret.file}
    warnings = [*reader.warnings, *exposed(sections, settings.origins)]
    warnings += [_placed(raw, *misfit) for misfit in _warnings(settings)]
    return replace(
        settings,
        watched=(*reading.watched, *files),
        secret_files=tuple(files),
        digest=reading.digest(files),
        warnings=tuple(_in_order(warnings, reading)),
    )


def _warnings(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for section in settings.servers():
        if section.enable_client:
            yield from ((section.name, option, message) for option, message in dangers(section))
    yield from doubtful_proxies(settings.proxies.values())
    yield from shared_accounts(settings.mailboxes)
    yield from shared_tokens(settings.api_tokens)
    yield from doubtful_ways(settings.ways_out.values(), settings.origins)
    yield from shared_claims(settings.ways_out.values())
    yield from unknown_callers(settings.ways_out.values(), {*settings.rules, *settings.api_tokens})
    yield from idle_outputs(settings.log)
    yield from unknown_names(settings.rules.values(), settings.mailboxes, settings.agents, settings.processing)
    for name, exposed_section in (("api", settings.api), ("webhook", settings.webhook)):
        if exposed_section is not None:
            yield from ((name, option, message) for option, message in exposed_section.dangers())


def current_digest(conf: Path, secret_files: tuple[Path, ...] = ()) -> str:
    """The digest of what lies there now."""
    return read_files(conf).digest(secret_files)


def _informed(reader: Reader, kind: type[N], secrets: Mapping[str, SecretSection]) -> dict[str, N]:
    """The sections of a kind, each with the client secret that it names, so that a new one starts it anew."""
    known = {name.lower(): secret.password for name, secret in secrets.items()}
    sections = reader.family(kind).items()
    return {
        name: replace(one, client_secret=known.get(f"secret-{one.secret.lower()}")) if one.secret else one
        for name, one in sections
    }


def _if_there(reader: Reader, kind: type[S]) -> S | None:
    """A section that means something by being there."""
    return next(iter(reader.family(kind).values()), None)


def _placed(raw: Mapping[str, RawSection], section: str, option: str, message: str) -> Fault:
    """A fault at the option's line; at the section's, where the option is not given."""
    stands = raw[section.lower()]
    given = stands.options.get(same_name(option))
    return Fault(given.place if given else stands.place, section, option, message)


def _in_order(faults: list[Fault], reading: Reading) -> list[Fault]:
    order = {path: number for number, path in enumerate(reading.order)}
    return sorted(faults, key=lambda fault: (order[fault.place.file], fault.place.line))
