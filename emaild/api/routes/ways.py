"""/v1/ways: how each way out fares, and what waits for it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from emaild.api import examples
from emaild.api.answers import got, problems
from emaild.api.context import Context
from emaild.api.got import WaysGot
from emaild.api.json_text import answered
from emaild.documents.way_out import ways_json
from emaild.store.ways_out import WayOutStatus


def routes(context: Context) -> APIRouter:
    """The operations."""
    router = APIRouter(prefix="/v1/ways", default_response_class=Response, tags=["outbox"])

    @router.get("", responses={**got(WaysGot, examples.WAYS), **problems()})
    def list_ways() -> Response:
        """All ways out, as they were a second ago; those that only mails name are `missing`."""
        store = context.store
        new = {name: WayOutStatus(name=name, state="waiting") for name in context.settings().ways_out}
        return answered({"ways": ways_json({**new, **store.ways_out.all()}, store.figures.outbox())})

    return router
