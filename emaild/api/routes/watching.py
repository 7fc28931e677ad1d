"""/healthz, /readyz and /metrics: for those who watch emaild; /openapi.json: for those who write programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from emaild.api.answers import Described, got, problems
from emaild.api.got import HealthGot
from emaild.api.health import Finding, Health
from emaild.api.json_text import answered
from emaild.api.metrics import Metrics
from emaild.api.vitals import Kept, Vitals

METRICS_TYPE = "text/plain"
KEPT = 1.0  # seconds
WELL: dict[str, Any] = {"status": "ok", "checks": {"store": {"status": "ok"}}}
ILL: dict[str, Any] = {"status": "failing", "checks": {"store": {"status": "failing"}}}
ANSWERS: Described = {**problems(), **got(HealthGot, WELL), **got(HealthGot, ILL, status=503, says="It is not well")}


def routes(vitals: Vitals) -> APIRouter:
    """The operations."""
    router = APIRouter(default_response_class=Response, tags=["watching"])
    health = Health(vitals)
    metrics = Metrics(vitals, health)
    alive, ready = Kept(health.alive, KEPT, vitals.clock), Kept(health.ready, KEPT, vitals.clock)

    @router.get("/healthz", responses=ANSWERS)
    async def is_alive() -> Response:
        """Whether the daemon works. Mailboxes and servers that fail are told of, and are no fault of its own."""
        return await _told(alive)

    @router.get("/readyz", responses=ANSWERS)
    async def is_ready() -> Response:
        """Whether it takes work now."""
        return await _told(ready)

    @router.get(
        "/metrics",
        responses={
            200: {
                "description": "Metrics for Prometheus",
                "content": {
                    f"{METRICS_TYPE}": {"schema": {"type": "string"}, "example": "emaild_store_up 1.0\n"},
                    "application/openmetrics-text": {"schema": {"type": "string"}},
                },
            },
            **problems(),
        },
    )
    def get_metrics(request: Request) -> Response:
        """Metrics for Prometheus, in the form that Accept asks for."""
        text, content_type = metrics.text(request.headers.get("accept", ""))
        answer = Response(text)
        answer.headers["Content-Type"] = content_type
        return answer

    return router


async def _told(kept: Kept[Finding]) -> Response:
    """Anyone may ask, and often: only once a second that takes a thread."""
    finding = kept.fresh()
    if finding is None:
        finding = await run_in_threadpool(kept.__call__)
    return answered(dict(finding.document), finding.status, {"Cache-Control": "no-store"})
