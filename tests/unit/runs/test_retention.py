"""retention: the longest unused of who holds the most make room; shared ones and the newest stay."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

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


def test_of_equal_visitors_the_one_away_for_longest_goes_first():
    """Ada was here last, so Bob's oldest run goes before hers; then she holds more; only as many go as need be."""
    runs = [
        held("a", age=9 * DAY),
        held("b", age=2 * HOUR),
        held("c", "bob", age=5 * DAY),
        held("d", "bob", age=4 * DAY),
    ]
    assert removed(*runs, megabytes=4) == ["c"]
    assert removed(*runs, megabytes=2) == ["c", "a", "d"]
    assert removed(*runs, megabytes=5) == []


def test_many_visitors_with_little_do_not_push_out_one_who_was_here_before_them():
    """Twenty newcomers hold 2 MB each; the honest visitor's 2 MB are older, and stay until all hold as much."""
    newcomers = [held(f"{who} {n}", f"newcomer {who}", age=2 * HOUR - n) for who in range(20) for n in range(2)]
    gone = removed(held("small", "honest", age=9 * DAY), *newcomers, megabytes=30)
    assert len(gone) == 12
    assert "small" not in gone


@given(
    st.lists(
        st.builds(
            lambda owner, megabytes, hours, is_idle, is_deleted, shared: held(
                "", owner, megabytes=megabytes, age=hours * HOUR, is_idle=is_idle, is_deleted=is_deleted, shared=shared
            ),
            st.sampled_from("abcd"),
            st.integers(1, 9),
            st.integers(0, 99),
            st.booleans(),
            st.booleans(),
            st.sampled_from([None, DAY, 31 * DAY]),
        ),
        max_size=20,
    ),
    st.integers(1, 60),
)
def test_whoever_holds_the_most_makes_room(holdings, limit):
    """What may not go stays, what is deleted goes first, and nobody loses anything while another has more to give."""
    runs = [replace(one, id=str(number)) for number, one in enumerate(holdings)]
    gone = [runs[int(run_id)] for run_id in removed(*runs, megabytes=limit)]
    stay = [one for one in runs if one not in gone]
    may_go = [one for one in stay if one.is_idle and NOW - one.used > HOUR and (one.is_deleted or not one.shared)]
    assert all(one.is_idle and NOW - one.used > HOUR for one in gone)
    assert not may_go or held_by(stay).total() < limit * MB
    assert all(one.is_deleted for one in gone) or not any(one.is_deleted for one in may_go)
    for one in (one for one in gone if not one.is_deleted):
        last = next(other for other in reversed(gone) if other.owner == one.owner)
        for other in may_go:
            assert held_by(stay)[other.owner] <= held_by(stay)[one.owner] + last.disk_bytes


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 9)), min_size=1), st.integers(1, 99))
def test_whoever_holds_less_than_an_equal_share_loses_nothing(sizes, limit):
    runs = [held(str(number), owner, megabytes=size) for number, (owner, size) in enumerate(sizes)]
    gone = [runs[int(run_id)] for run_id in removed(*runs, megabytes=limit)]
    share = limit * MB / len(held_by(runs))
    assert all(held_by(runs)[one.owner] >= share for one in gone)
    assert held_by([one for one in runs if one not in gone]).total() < limit * MB
    assert not gone or held_by([one for one in runs if one not in gone[:-1]]).total() >= limit * MB


def held_by(holdings):
    """Count the bytes of each owner."""
    taken = Counter()
    for one in holdings:
        taken[one.owner] += one.disk_bytes
    return taken


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


class TestSets:
    """Sets are put away when they take more than 90% of their quota, which is 10 MB here."""

    def put_away(self, *holdings, quota=10):
        return retention.unused_sets(holdings, Quotas(set_megabytes=quota), NOW)

    def test_there_is_room_up_to_nine_tenths(self):
        sets = [held(f"{number}", age=number * DAY) for number in range(1, 10)]
        assert self.put_away(*sets) == []
        assert self.put_away(*sets, held("new", "bob")) == ["9"]
        assert self.put_away(*sets, *sets, quota=0) == []

    def test_whoever_holds_the_most_makes_room(self):
        sets = [held("a", age=99 * DAY, megabytes=2), held("b", "bob", age=9 * DAY, megabytes=4)]
        sets.append(held("c", "bob", megabytes=5))
        assert self.put_away(*sets) == ["b"]
        assert self.put_away(*sets, quota=4) == ["b", "c"]

    def test_what_is_deleted_already_needs_no_room(self):
        gone = held("a", megabytes=9, is_deleted=True)
        assert self.put_away(gone, held("b", megabytes=8)) == []
        assert self.put_away(replace(gone, is_idle=False), held("b", megabytes=8)) == ["b"]

    def test_sets_in_use_stay(self):
        """One from which a run learns, one that was changed within the hour, one that another visitor uses."""
        sets = [held("a", is_idle=False, megabytes=9), held("b", age=HOUR / 2), held("c", shared=29 * DAY)]
        assert self.put_away(*sets, held("d", shared=31 * DAY), held("e", "bob")) == ["d", "e"]

    def test_others_use_cannot_keep_the_disk_full(self):
        sets = [held(f"{number}", age=number * DAY, shared=DAY, megabytes=2) for number in range(1, 7)]
        assert self.put_away(*sets) == ["4", "3"]


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
        assert {(one.id, bool(one.is_idle), one.disk_bytes) for one in registry.list_holdings()} == {
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
