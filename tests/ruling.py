"""A mailbox, its rules, and the job that applies them, on a real store: no server, no daemon."""

from __future__ import annotations

from emaild.message import Interaction
from emaild.services.office import Office
from emaild.services.submit import Submit
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.interactions import Chosen
from tests.clock import ManualClock
from tests.conf_files import ConfFiles
from tests.samples import in_outbox
from tests.understanding import Desk

BOX = "[pop-client]\nserver = localhost\nmailbox = support@shop.example\npassword = hunter2\n"
WAY = "[smtp-client]\nserver = localhost\n"
ACK = "[rule-ack]\nservice = Acknowledge\nText = Thank you\nSubject = We have it\n"
FORWARD = "[rule-expert]\nservice = Forward\nTo = expert@lab.example\n"


class Ruling:
    """A mailbox, its rules, and the job that applies them."""

    def __init__(self, store: Store, conf: ConfFiles, clock: ManualClock) -> None:
        self.store, self._conf, self._clock = store, conf, clock
        self.desk = Desk(store)
        self.settings = self.rules()
        self.job = Submit(store, lambda: self.settings, clock)

    def rules(self, *sections: str, processing: str = "") -> Settings:
        self.settings = self._conf.load("".join([BOX, WAY, f"[email-processing]\n{processing}\n", *sections]))
        return self.settings

    def arrive(self, *raws: bytes) -> list[str]:
        """Mails that wait for the rules; their ids."""
        names = []
        for raw in raws:
            looked = self.desk.understand(raw, at=self._clock.now())
            self.store.interactions.keep(self.desk.section.account, looked, settled=True, submitted=False)
            self._clock.advance(1)
            names += [entry.id for _, understood in looked for entry in understood.interactions]
        return names

    def run(self) -> None:
        """Until nothing waits."""
        while self.job.run() == 0.0:
            pass

    def take(self, raw: bytes) -> Interaction:
        """A mail that the rules have seen."""
        (name,) = self.arrive(raw)
        self.run()
        return self.get(name)

    def get(self, name: str) -> Interaction:
        return self.store.interactions.get(name)

    @property
    def given(self) -> list[Interaction]:
        """What programs see, in its order."""
        return self.store.interactions.submitted(Chosen(), 0, 1000)

    @property
    def out(self) -> list[Interaction]:
        """The mails of ours, as programs see them."""
        return [entry for entry in self.given if entry.out]

    @property
    def office(self) -> Office:
        """What a program calls."""
        return Office(settings=self.settings, store=self.store)

    def outbox(self) -> list[str]:
        return [entry.id for entry in in_outbox(self.store)]
