"""admission: what a bored stranger tries behind a public link, and what they read."""

import pytest

from digits.errors import QuotaReached, TooManyPackages, TooManyRuns
from digits.quotas import Quotas
from digits.runs import admission, commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.schema import RunState
from digits.runs.usage import Usage

HEAVY = Hyperparameters(network="drawing", iterations=20_000, batch_size=1000)


@pytest.fixture(autouse=True)
def _public(monkeypatch):
    monkeypatch.setenv("DIGITS_PUBLIC", "1")
    admission._limiter.cache_clear()
    monkeypatch.setattr(admission, "addresses", admission.Addresses())


def pause_one(registry, quick, owner="ada"):
    run_id = commands.submit(registry, quick, owner)
    commands.pause(registry, run_id, owner)
    return run_id


class TestTrainingWork:
    def test_has_a_limit_for_convolutional_networks(self, registry):
        """Twenty million images through the network for drawings are refused, with what was asked for."""
        with pytest.raises(QuotaReached, match=r"2,500,000 images .*; 20,000,000 are asked for \(20,000 iter"):
            commands.submit(registry, HEAVY, "ada")
        assert registry.count_waiting() == 0

    @pytest.mark.parametrize("network", PRESETS)
    def test_leaves_room_for_every_preset(self, registry, network):
        assert commands.submit(registry, PRESETS[network].hyperparameters, "ada")

    def test_is_not_limited_at_home(self, registry, monkeypatch):
        monkeypatch.setenv("DIGITS_PUBLIC", "0")
        assert commands.submit(registry, HEAVY, "ada")


class TestTheQueue:
    def test_cannot_be_filled_by_one(self, registry, quick):
        """Two runs for each visitor, only one while the queue is half full, and thirty in all."""
        for visitor in range(7):
            for _ in range(2):
                commands.submit(registry, quick, f"stranger {visitor}")
            with pytest.raises(TooManyRuns, match="At most 2 runs may wait or train at a time; you have 2"):
                commands.submit(registry, quick, f"stranger {visitor}")
        for visitor in range(7, 22):
            commands.submit(registry, quick, f"stranger {visitor}")
            with pytest.raises(TooManyRuns, match=r"While 15 or more runs wait .* each visitor may have one"):
                commands.submit(registry, quick, f"stranger {visitor}")
        commands.submit(registry, quick, "stranger 22")
        with pytest.raises(TooManyRuns, match="At most 30 runs may wait or train at a time; this server has 30"):
            commands.submit(registry, quick, "ada")

    def test_is_not_entered_by_pausing_and_resuming(self, registry, quick):
        """Start and Pause, again and again, then Resume all: neither passes the limits."""
        paused = [pause_one(registry, quick) for _ in range(3)]
        with pytest.raises(TooManyRuns, match="At most 3 of a visitor's runs may be paused; you have 3"):
            pause_one(registry, quick)
        commands.resume(registry, paused[0], "ada")
        for run_id in paused[1:]:
            with pytest.raises(TooManyRuns, match="At most 2 runs may wait or train at a time; you have 2"):
                commands.resume(registry, run_id, "ada")
            with pytest.raises(TooManyRuns, match="you have 2"):
                commands.step(registry, run_id, "ada")
        assert [registry.get(run_id).state for run_id in paused] == ["queued", "paused", "paused"]

    def test_a_full_one_lets_nobody_resume(self, registry, quick, monkeypatch):
        monkeypatch.setenv("DIGITS_RUNS_WAITING", "1")
        run_id = pause_one(registry, quick)
        commands.submit(registry, quick, "bob")
        with pytest.raises(TooManyRuns, match="this server has 1"):
            commands.resume(registry, run_id, "ada")

    def test_a_run_in_training_that_will_pause_counts_as_paused(self, registry, quick, monkeypatch):
        """Its owner may change their mind without a free place, because it has its own."""
        monkeypatch.setenv("DIGITS_RUNS_PAUSED_PER_VISITOR", "1")
        monkeypatch.setenv("DIGITS_RUNS_WAITING_PER_VISITOR", "1")
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        commands.pause(registry, run_id, "ada")
        commands.pause(registry, run_id, "ada")
        assert registry.usage("ada").paused == 1
        commands.resume(registry, run_id, "ada")
        assert registry.usage("ada").paused == 0
        commands.step(registry, run_id, "ada")
        assert registry.usage("ada").paused == 1


class TestAnAddress:
    """Thirty cookies from one address."""

    def test_cannot_fill_the_queue(self, registry, quick):
        """Ten runs from one address wait or train; a run that ends makes room; other addresses are not affected."""
        run_ids = [commands.submit(registry, quick, f"cookie {n}", address="192.0.2.1") for n in range(10)]
        with pytest.raises(TooManyRuns, match=r"At most 10 runs from one address may wait .*; yours has 10"):
            commands.submit(registry, quick, "cookie 10", address="192.0.2.1")
        assert commands.submit(registry, quick, "ada", address="192.0.2.2")
        assert commands.submit(registry, quick, "bob")
        registry.request_stop(run_ids[3])
        assert commands.submit(registry, quick, "cookie 10", address="192.0.2.1")

    def test_does_not_enter_it_by_pausing(self, registry, quick, monkeypatch):
        """A paused run leaves its place, and needs one to go on."""
        monkeypatch.setenv("DIGITS_RUNS_WAITING_PER_ADDRESS", "1")
        run_ids = []
        for n in range(3):
            run_ids.append(commands.submit(registry, quick, f"cookie {n}", address="192.0.2.1"))
            commands.pause(registry, run_ids[n], f"cookie {n}")
        commands.resume(registry, run_ids[0], "cookie 0", address="192.0.2.1")
        with pytest.raises(TooManyRuns, match="yours has 1"):
            commands.resume(registry, run_ids[1], "cookie 1", address="192.0.2.1")
        with pytest.raises(TooManyRuns, match="yours has 1"):
            commands.step(registry, run_ids[2], "cookie 2", address="192.0.2.1")

    def test_is_not_limited_at_home(self, registry, quick, monkeypatch):
        monkeypatch.setenv("DIGITS_PUBLIC", "0")
        for n in range(12):
            commands.submit(registry, quick, f"pupil {n}", address="192.0.2.1")


class TestChecks:
    def test_have_a_limit(self, monkeypatch):
        """Another visitor's checks do not count."""
        ten_past = 1_800_000_600.0  # a while before the hour ends, so that the wait is told in minutes
        monkeypatch.setattr("time.time", lambda: ten_past)
        for _ in range(20):
            admission.require_check("ada")
        with pytest.raises(QuotaReached, match=r"At most 20 packages .*; you have checked 20\. Try again in 50 min"):
            admission.require_check("ada")
        admission.require_check("bob")

    def test_from_one_address_have_a_limit_too(self):
        """Twenty cookies cannot keep everybody else from a check; another address is not affected."""
        for check in range(60):
            admission.require_check(f"cookie {check % 20}", "192.0.2.1")
        for _ in range(30):  # none of which counts as a check of theirs
            with pytest.raises(QuotaReached, match=r"At most 60 packages an hour .* from one address; .* again in"):
                admission.require_check("honest", "192.0.2.1")
        admission.require_check("honest", "192.0.2.2")

    def test_that_are_refused_to_one_leave_the_others_at_the_address_theirs(self):
        for _ in range(20):
            admission.require_check("ada", "192.0.2.1")
        for _ in range(100):
            with pytest.raises(QuotaReached, match="you have checked 20"):
                admission.require_check("ada", "192.0.2.1")
        admission.require_check("bob", "192.0.2.1")


class TestCopies:
    def test_have_a_limit(self, registry, quick, monkeypatch):
        """Save now in a loop ends after the allowed number; asking twice before the trainer saves is one copy."""
        monkeypatch.setenv("DIGITS_COPIES_PER_VISITOR", "2")
        run_id = commands.submit(registry, quick, "ada")
        registry.claim()
        for _ in range(2):
            commands.save_now(registry, run_id, "ada")
            commands.save_now(registry, run_id, "ada")
            registry.set_activity(run_id, "", save_requested=False)
        with pytest.raises(QuotaReached, match=r"At most 2 copies .*; your runs have 2"):
            commands.save_now(registry, run_id, "ada")
        assert registry.get(run_id).copies == 2
        assert not registry.get(run_id).save_requested


class TestImports:
    def test_have_a_limit_in_the_transaction(self, registry, quick, monkeypatch):
        """The import that would be one too many is refused when it is inserted; trained runs do not count."""
        monkeypatch.setenv("DIGITS_IMPORTS_PER_VISITOR", "1")
        commands.submit(registry, quick, "ada")
        registry.finish(registry.claim().id, RunState.FINISHED)
        registry.add_imported(quick, "ada", admit=admission.require_import)
        with pytest.raises(TooManyPackages, match="At most 1 models may be imported; you have imported 1"):
            registry.add_imported(quick, "ada", admit=admission.require_import)
        assert registry.usage("ada").imported == 1


class TestDisk:
    def test_has_a_limit_for_each_visitor(self, registry, quick, monkeypatch):
        monkeypatch.setenv("DIGITS_MEGABYTES_PER_VISITOR", "5")
        registry.set_disk_bytes(registry.add_imported(quick, "ada"), 5_000_000)
        with pytest.raises(QuotaReached, match=r"Your runs may take 5 MB .*; they take 5 MB.*in an hour"):
            commands.submit(registry, quick, "ada")
        assert commands.submit(registry, quick, "bob")

    def test_has_a_limit_for_all(self, registry, quick, monkeypatch):
        monkeypatch.setenv("DIGITS_MEGABYTES", "5")
        registry.set_disk_bytes(registry.add_imported(quick, "ada"), 5_000_000)
        with pytest.raises(QuotaReached, match="All visitors' runs may take 5 MB"):
            commands.submit(registry, quick, "bob")


class TestCommandsAMinute:
    def test_have_a_limit(self, registry, quick):
        """Another visitor's commands do not count, nor do those that were never theirs to give."""
        run_id = commands.submit(registry, quick, "ada")
        for _ in range(Quotas.from_environment().commands_a_minute - 1):
            commands.annotate(registry, run_id, "ada", "again")
        with pytest.raises(QuotaReached, match=r"At most 60 commands a minute .* Try again in \d+ s"):
            commands.stop(registry, run_id, "ada")
        assert commands.submit(registry, quick, "bob")

    def test_are_not_limited_at_home(self, registry, quick, monkeypatch):
        monkeypatch.setenv("DIGITS_PUBLIC", "0")
        run_id = commands.submit(registry, quick, "ada")
        for _ in range(100):
            commands.annotate(registry, run_id, "ada", "again")

    def test_many_runs_are_deleted_by_one(self, registry, quick, monkeypatch):
        monkeypatch.setenv("DIGITS_COMMANDS_A_MINUTE", "2")
        run_ids = [registry.add_imported(quick, "ada") for _ in range(5)]
        commands.delete(registry, run_ids, "ada")
        commands.restore(registry, run_ids, "ada")


class TestBytesAnHour:
    def test_have_a_limit_for_each_address(self, monkeypatch):
        """One that comes over it is not counted, so a smaller one may follow; another address has its own."""
        monkeypatch.setenv("DIGITS_MEGABYTES_AN_HOUR", "2")
        admission.require_bytes("192.0.2.1", 1_500_000)
        with pytest.raises(QuotaReached, match=r"At most 2 MB of sets and packages an hour .* again in \d+ minutes"):
            admission.require_bytes("192.0.2.1", 600_000)
        admission.require_bytes("192.0.2.1", 400_000)
        admission.require_bytes("192.0.2.2", 1_500_000)

    def test_are_not_limited_at_home(self, monkeypatch):
        monkeypatch.setenv("DIGITS_PUBLIC", "0")
        for _ in range(3):
            admission.require_bytes("192.0.2.1", 10**9)

    def test_are_not_counted_without_an_address(self):
        for _ in range(3):
            admission.require_bytes("", 10**9)


def test_nothing_is_limited_by_zero(monkeypatch):
    """0 means no limit, for each quota."""
    for name in Quotas.__dataclass_fields__:
        monkeypatch.setenv(f"DIGITS_{name.upper()}", "0")
    much = Usage(*[10**12] * 7)
    admission.require_submission(much)
    admission.require_pause(much)
    admission.require_copy(much)
    admission.require_import(much)
    admission.require_affordable(HEAVY)
    for _ in range(200):
        admission.require_pace("ada")
        admission.require_check("ada", "192.0.2.1")
        admission.require_bytes("192.0.2.1", 10**9)
