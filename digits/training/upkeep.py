"""Upkeep: what a trainer does for the disk beside training. It sweeps, measures, and removes what is deleted."""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any

from digits.models import catalogue
from digits.quotas import Quotas
from digits.runs import retention
from digits.runs.registry import Registry
from digits.settings import Settings
from digits.store import Store
from digits.training import own_sets
from digits.training.beginnings import Leftovers

_UNDO_SECONDS = 24 * 3600  # how long a deleted run can be restored
_REMOVE_EVERY_SECONDS = 3600

_logger = logging.getLogger(__name__)


class Upkeep:
    """The upkeep of the store and the registry by one trainer."""

    def __init__(
        self, settings: Settings, registry: Registry, store: Store, retry: Callable[[Callable[[], Any]], Any]
    ) -> None:
        """Prepare to look after `store`; `retry` calls a function again while the registry is busy."""
        self._settings, self._registry, self._store, self._retry = settings, registry, store, retry
        self._leftovers = Leftovers(registry, store)
        self._last_removal = 0.0

    def remove_deleted(self) -> None:
        """Remove runs and sets that were deleted a day ago, or for which there is no room; do this once an hour."""
        now = time.time()
        if now - self._last_removal < _REMOVE_EVERY_SECONDS:
            return
        self._last_removal = now
        self.sweep()
        for run_id in self._retry(self._registry.list_unmeasured):
            self.measure(run_id)
        self._make_room(now)
        for run_id in self._retry(lambda: self._registry.list_deleted(before=now - _UNDO_SECONDS)):
            try:
                catalogue.remove_of_run(run_id, self._settings)
            except OSError as error:  # the run stays in the registry, so that this is tried again
                _logger.warning("run %s cannot be removed: %s", run_id, error)
                continue
            self._retry(functools.partial(self._registry.purge, run_id))
        self._retry(lambda: self._registry.purge_sweeps(now - _UNDO_SECONDS))
        try:
            self._retry(lambda: own_sets.remove_abandoned(self._registry, self._store, now - _UNDO_SECONDS))
            self._retry(self._leftovers.remove)
        except OSError as error:  # tried again in an hour
            _logger.warning("deleted sets of drawings, or what nobody asked for again, cannot be removed: %s", error)

    def _make_room(self, now: float) -> None:
        """Let go of the runs, and put away the sets, for which the quotas have no room."""
        quotas = Quotas.from_environment()
        unwanted = retention.abandoned(self._retry(self._registry.list_holdings), quotas, now)
        if unwanted:
            _logger.info("removing %d runs, because the disk's quota is used up", len(unwanted))
            self._retry(lambda: self._registry.abandon(unwanted))
        unused = retention.unused_sets(self._retry(self._registry.list_set_holdings), quotas, now)
        if unused:
            _logger.info("putting away %d sets of drawings, because their quota is nearly used up", len(unused))
            self._retry(lambda: self._registry.put_away_sets(unused))

    def measure(self, run_id: str) -> None:
        """Record the space of a run's files, which counts towards the quotas."""
        try:
            disk_bytes = catalogue.size_of_run(run_id, self._settings)
        except OSError as error:
            _logger.warning("run %s cannot be measured: %s", run_id, error)
            return
        self._retry(lambda: self._registry.set_disk_bytes(run_id, disk_bytes))

    def sweep(self) -> None:
        """Remove what killed trainers left."""
        try:
            self._store.sweep()
        except OSError as error:
            _logger.warning("cannot remove what killed trainers left: %s", error)
