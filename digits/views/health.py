"""Health: whether the server works, for those who watch over it, and its counts for Prometheus."""

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from digits.errors import RegistryUnavailable
from digits.metrics import ANSWERS, ERRORS  # noqa: F401 - both are shown at `/metrics`
from digits.settings import Settings

if TYPE_CHECKING:
    from digits.runs.registry import Registry

_logger = logging.getLogger(__name__)


def routes(settings: Settings) -> list[Route]:
    """Return the routes `/health`, `/ready` and `/metrics`.

    `/health` says that the process answers, `/ready` that it can serve visitors: its registry can be read. A reverse
    proxy should keep `/metrics` from the public; it holds counts alone.
    """
    open_runs = functools.partial(_open, settings)
    REGISTRY.register(_Runs(open_runs))

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        try:
            await run_in_threadpool(lambda: open_runs().count_waiting())
        except RegistryUnavailable:
            return PlainTextResponse("The run registry cannot be read.\n", status_code=503)
        return PlainTextResponse("ready\n")

    async def metrics(_request: Request) -> Response:
        return Response(await run_in_threadpool(generate_latest), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)]


def _open(settings: Settings) -> "Registry":
    from digits.runs.registry import open_registry  # here, because loading SQLAlchemy would delay the first page

    return open_registry(settings.registry_url)


def count_error(error: Exception) -> None:
    """Count an unforeseen error of a page, and log it; the visitor is shown no details."""
    ERRORS.inc()
    _logger.error("A page failed.", exc_info=error)


class _Runs(Collector):
    """The registry's runs by state, counted when they are asked for."""

    def __init__(self, registry: "Callable[[], Registry]") -> None:
        self._registry = registry

    def describe(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("digits_runs", "Runs by state.", labels=["state"])]

    def collect(self) -> list[GaugeMetricFamily]:
        [family] = self.describe()
        try:
            counts = self._registry().count_by_state()
        except RegistryUnavailable:
            return []
        for state, count in counts.items():
            family.add_metric([state], count)
        return [family]
