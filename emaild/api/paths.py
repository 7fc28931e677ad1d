"""What stands in paths."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from emaild.api import examples

InteractionId = Annotated[
    str, Path(alias="id", description="The id of an interaction; case does not matter.", examples=[examples.ID])
]
MailId = Annotated[str, Path(alias="id", description="The id of a mail out.", examples=[examples.ID])]
MailboxName = Annotated[str, Path(description="The name of a mailbox's section.", examples=["pop-client"])]
FileNumber = Annotated[str, Path(description="Which file, counted from 0.", examples=["0"])]
ServiceName = Annotated[str, Path(description="The name of a service, or an alias.", examples=["Acknowledgement"])]
