"""From an address to its servers: all questions in the order of the draft, the lowest number that finds something wins.

0     private addresses at Microsoft's and Google's: known, nothing is asked
1.1   https://autoconfig.DOMAIN/mail/config-v1.1.xml?emailaddress=ADDRESS
1.2   https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml
1.3   1.1 over http and without the address, where use-http allows it
2.1   each ISPDB, for DOMAIN
3     DOMAIN's MX, of the lowest preference: Microsoft's and Google's are known by it
3.1   1.1 of the MX's domain, 3.2 of the part of it that is registered; 3.3 and 3.4 the ISPDBs for them
4.1   SRV of _imaps, _imap, _pop3s, _pop3, _submissions, _submission: 4.1 to 4.6, together one answer

(draft-ietf-mailmaint-autoconfig, "Config retrieval for mail clients"; RFC 6186, RFC 8314 §5.1.)

An MX at Microsoft's or Google's comes before the databases, which may have been right years ago: either is enough
(SuperOffice), and whoever forges it leads to nobody but them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from itertools import chain, takewhile
from urllib.parse import quote

from emaild.net.race import Deadline
from emaild.provision.discover import autoconfig, known
from emaild.provision.discover.address import Address, address_of
from emaild.provision.discover.doubts import HTTP, doubted, of_dns, without_plain
from emaild.provision.discover.exchangers import Exchanger, cheapest
from emaild.provision.discover.found import Came, Found, Outcome, Step
from emaild.provision.discover.names import records
from emaild.provision.discover.parallel import Answer, Asked, Question, Round
from emaild.provision.discover.reach import Reach
from emaild.provision.discover.services import SERVICES, Service, found_by, offers
from emaild.provision.discover.unfit import Unfit
from emaild.settings.discovery import DiscoverySection
from emaild.settings.network import ProxySection

MX = "3"
MX_RANK = "2"  # before 2.1
SRV = "4"


def discover(address: str, section: DiscoverySection, proxy: ProxySection | None = None) -> Outcome:
    """Find out how an address is read and sent by, within the section's timeout. *proxy*: what all of it goes through.

    Raises:
        UsageError: it is no address whose domain could be asked for.
    """
    whose = address_of(address)
    own = known.consumers(whose)
    if own is not None:
        step = Step(number="0", asked=whose.domain, came=Came.FOUND, text=f"{own.name}, which is known")
        return Outcome(found=replace(own, number="0", origin="what emaild knows"), steps=(step,))
    search = _Search(whose, Reach(section, proxy))
    asked = Round(search.questions(), Deadline(section.timeout))
    asked.wait(lambda: _settled(asked, whose))
    return Outcome(found=_remarked(_best(asked, whose), asked), steps=asked.steps(settled=_settled(asked, whose)))


class _Search:
    """The questions for one address."""

    def __init__(self, address: Address, reach: Reach) -> None:
        self._address = address
        self._reach = reach

    def questions(self) -> list[Question]:
        """Those that can be asked at once."""
        domain = self._address.domain
        asked = [
            self._document("1.1", self._own_url(domain)),
            self._document("1.2", f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
            *self._databases("2.1", domain),
            Question(MX, f"{domain} MX", self._exchangers),
            *(
                Question(f"{SRV}.{number}", f"{service.asked(domain)} SRV", partial(self._service, service))
                for number, service in enumerate(SERVICES, 1)
            ),
        ]
        if self._reach.section.use_http:
            url = f"http://autoconfig.{domain}/mail/config-v1.1.xml"
            asked.append(Question("1.3", url, partial(self._read_plain, url)))
        return asked

    def _own_url(self, domain: str) -> str:
        return f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={quote(self._address.text, safe='@')}"

    def _document(self, number: str, url: str) -> Question:
        return Question(number, url, partial(self._read, url, {self._address.domain}))

    def _databases(self, number: str, domain: str) -> list[Question]:
        return [self._document(number, base + domain) for base in self._reach.section.ispdb]

    def _read(self, url: str, domains: Collection[str], deadline: Deadline) -> Answer:
        return _told(autoconfig.read(self._reach.fetch(url, deadline), self._address, domains))

    def _read_plain(self, url: str, deadline: Deadline) -> Answer:
        document = self._reach.fetch(url, deadline)
        found = without_plain(autoconfig.read(document, self._address, {self._address.domain}))
        if not found.incoming:
            raise Unfit(Came.WRONG, "told without TLS, it names no server that speaks TLS")
        return _told(doubted(found, lambda _: HTTP))

    def _read_for(self, exchanger: Exchanger, url: str, deadline: Deadline) -> Answer:
        """A document that the MX led to."""
        domains = {self._address.domain, exchanger.full, exchanger.base, exchanger.host} - {""}
        found = autoconfig.read(self._reach.fetch(url, deadline), self._address, domains)
        return _told(doubted(found, lambda server: of_dns(server.host, self._address)))

    def _exchangers(self, deadline: Deadline) -> Answer:
        exchanger = cheapest(records(self._reach, self._address.domain, "MX", deadline), self._address)
        found = known.by_mx(self._address, exchanger.host)
        text = f"{exchanger.host} (preference {exchanger.preference})"
        if found is not None:
            return Answer(f"{text}: {found.name}", found)
        return Answer(text, more=tuple(self._led_on(exchanger)))

    def _led_on(self, exchanger: Exchanger) -> list[Question]:
        """The questions for the domains of an MX; for the address's own they are asked already."""
        full, base = (name if name != self._address.domain else "" for name in (exchanger.full, exchanger.base))
        asked = []
        for number, domain in (("3.1", full), ("3.2", base)):
            asked += [(number, self._own_url(domain))] if domain else []
        for number, domain in (("3.3", full), ("3.4", base)):
            asked += [(number, ispdb + domain) for ispdb in self._reach.section.ispdb if domain]
        return [Question(number, url, partial(self._read_for, exchanger, url)) for number, url in asked]

    def _service(self, service: Service, deadline: Deadline) -> Answer:
        named = records(self._reach, service.asked(self._address.domain), "SRV", deadline)
        offered = offers(named, service, self._address)
        return Answer(", ".join(str(offer.server) for offer in offered), offers=offered)


def _told(found: Found) -> Answer:
    servers = ", ".join(dict.fromkeys(str(server) for server in (*found.incoming, *found.outgoing)))
    return Answer(f"{found.name}: {servers}", found)


def _by_rank(asked: Round) -> list[Asked]:
    """All that was asked; what comes first is believed."""
    return sorted(asked.all, key=lambda one: MX_RANK if one.question.number == MX else one.question.number)


def _best(asked: Round, address: Address) -> Found | None:
    """What was found first in rank, of the questions that have ended."""
    for one in _by_rank(asked):
        if one.answer is not None and one.answer.found is not None:
            return replace(one.answer.found, number=one.question.number, origin=one.question.asked)
    offered = [offer for one in asked.all if one.answer is not None for offer in one.answer.offers]
    found = found_by(offered, address)
    return None if found is None else replace(found, number=SRV, origin=f"SRV records of {address.domain}")


def _settled(asked: Round, address: Address) -> bool:
    """Whether nothing that is still open could change the outcome."""
    best = _best(asked, address)
    if best is None or best.number == SRV:
        return all(one.step is not None for one in asked.all)
    before = takewhile(lambda one: one.question.asked != best.origin, _by_rank(asked))
    exchanger = (one for one in asked.all if one.question.number == MX)
    return all(one.step is not None for one in chain(before, exchanger))


def _remarked(found: Found | None, asked: Round) -> Found | None:
    """With a word on an MX that leads to Microsoft or Google, where something else won that leads elsewhere."""
    exchanger = next((one for one in asked.all if one.question.number == MX), None)
    other = None if exchanger is None or exchanger.answer is None else exchanger.answer.found
    if found is None or other is None or found.incoming[0].host == other.incoming[0].host:
        return found
    remark = f"the domain's MX leads to {other.name}; if the mailbox is there, what was found is out of date"
    return replace(found, remarks=(*found.remarks, remark))
