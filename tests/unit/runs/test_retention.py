"""retention: the longest unused runs make room; shared ones and the newest stay."""

from digits.quotas import Quotas
from digits.runs import commands, retention
from digits.runs.retention import Holding
from digits.runs.schema import RunState

HOUR, DAY, MB, NOW = 3600.0, 24 * 3600.0, 1_000_000, 1_000_000_000.0


def held(run_id, owner="ada", *, megabytes=1, age=DAY, is_idle=True, is_deleted=False, shared=None):
    used = NOW - age
    return Holding(run_id, owner, megabytes * MB, used, is_idle, is_deleted, None if shared is None else NOW - shared)


def removed(*holdings, **quotas):
    return retention.abandoned(holdings, Quotas(**quotas), NOW)


def test_without_a_quota_everything_is_kept():
    assert removed(held("old", megabytes=10**6, age=1000 * DAY)) == []


def test_the_longest_absent_visitors_runs_go_first():
    """Ada was here last, so her oldest run outlives those of Bob, and only as many go as need be."""
    runs = [
        held("a", age=9 * DAY),
        held("b", age=2 * HOUR),
        held("c", "bob", age=5 * DAY),
        held("d", "bob", age=4 * DAY),
    ]
    assert removed(*runs, megabytes=4) == ["c"]
    assert removed(*runs, megabytes=2) == ["c", "d", "a"]
    assert removed(*runs, megabytes=5) == []


def test_each_visitor_makes_room_for_themselves():
    """A visitor over their own quota loses their oldest; nobody else does."""
    runs = [held("a", age=9 * DAY), held("b", age=8 * DAY), held("c", "bob", age=99 * DAY)]
    assert removed(*runs, megabytes_per_visitor=2) == ["a"]


def test_runs_in_use_stay():
    """A run that waits or trains stays, and one that ended less than an hour ago."""
    assert removed(held("a", is_idle=False), held("b", age=HOUR / 2), megabytes=1) == []


def test_deleted_runs_go_before_any_other():
    assert removed(held("a", age=9 * DAY), held("b", age=DAY, is_deleted=True), megabytes=2) == ["b"]


def test_shared_runs_stay_for_thirty_days():
    runs = [held("a", age=90 * DAY, shared=29 * DAY), held("b", age=80 * DAY, shared=31 * DAY), held("c", age=DAY)]
    assert removed(*runs, megabytes=2) == ["b", "c"]


def test_shared_runs_cannot_keep_the_disk_full():
    """Beyond half of the disk, the newest shared ones count as others do."""
    runs = [held(f"run {age}", age=age * DAY, shared=DAY) for age in (4, 3, 2, 1)]
    assert removed(*runs, megabytes=4) == ["run 2"]


class TestInTheRegistry:
    def test_a_run_opened_by_another_visitor_is_shared(self, registry, quick):
        run_id = commands.submit(registry, quick, "ada")
        commands.watch(registry, registry.get(run_id), "ada")
        assert registry.get(run_id).shared is None
        commands.watch(registry, registry.get(run_id), "bob")
        first = registry.get(run_id).shared
        assert first
        commands.watch(registry, registry.get(run_id), "bob")
        assert registry.get(run_id).shared == first

    def test_an_abandoned_run_does_not_come_back(self, registry, quick):
        """A paused one is stopped; one that waits is left alone."""
        paused, waiting = (commands.submit(registry, quick, "ada") for _ in range(2))
        commands.pause(registry, paused, "ada")
        for run_id in (paused, waiting):
            registry.set_disk_bytes(run_id, 5)
        assert {(one.run_id, bool(one.is_idle), one.disk_bytes) for one in registry.list_holdings()} == {
            (paused, True, 5),
            (waiting, False, 5),
        }
        registry.abandon([paused, waiting])
        assert (registry.get(paused).state, registry.get(waiting).state) == (RunState.STOPPED, RunState.QUEUED)
        assert registry.list_deleted(before=1.0) == [paused]

    def test_only_idle_runs_without_a_size_are_to_be_measured(self, registry, quick):
        commands.submit(registry, quick, "ada")
        imported, measured = (registry.add_imported(quick, "ada", disk_bytes=size) for size in (None, 7))
        assert registry.list_unmeasured() == [imported]
        assert registry.usage("ada").disk_bytes == 7
        registry.set_disk_bytes(imported, 1)
        assert registry.usage("bob").everyones_disk_bytes == 8
        assert registry.get(measured).disk_bytes == 7
