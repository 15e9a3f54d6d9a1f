"""registry: it keeps its promises to many threads, and an ended run never changes."""

import contextlib
import itertools
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digits.errors import DigitsError, LeaseLost, RegistryBusy, RegistryUnavailable, RunAlreadyFinished, RunNotFound
from digits.runs import schema
from digits.runs.changes import Change
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.presets import PRESETS
from digits.runs.registry import Registry, open_registry
from digits.runs.schema import METRIC_NAMES, RunState
from digits.runs.work import LEASE_SECONDS
from digits.settings import Settings
from tests.conftest import close

CHOSEN = Hyperparameters(iterations=300, seed=7)
ENDED = [state for state in RunState if state.is_ended]


def row(step, **values):
    """One row of progress."""
    row = {
        "step": step,
        "seconds": step / 100,
        "loss": 1 / step,
        "accuracy": 0.5,
        "val_loss": None,
        "val_accuracy": None,
    }
    return row | values


def run_in(registry, state, owner="ada"):
    """Make a run in this state, with progress if it has ever run; all other runs must have ended."""
    run_id = registry.create(CHOSEN, owner)
    if state != RunState.QUEUED:
        assert registry.claim().id == run_id
        registry.record(run_id, [row(100)])
    if state == RunState.PAUSED:
        registry.set_paused(run_id)
    if state.is_ended:
        registry.finish(run_id, state, reason="because")
    assert registry.get(run_id).state == state
    return run_id


def set_lease(registry, seconds):
    """Let the leases of all running runs end so many seconds from now."""
    with registry._writing() as connection:
        is_running = schema.runs.c.state == RunState.RUNNING
        connection.execute(schema.runs.update().where(is_running).values(lease_until=time.time() + seconds))


@pytest.fixture
def another(registry):
    """The same registry as a second trainer opens it."""
    another = Registry(Settings.from_environment().registry_url)
    yield another
    close(another)


class TestCreate:
    def test_queues_a_run_with_everything_it_was_given(self, registry):
        """A new run is queued, has its owner and hyperparameters, and has neither started nor ended."""
        before = time.time()
        run = registry.get(registry.create(CHOSEN, "ada"))
        assert (run.state, run.owner, run.hyperparameters, run.step) == (RunState.QUEUED, "ada", CHOSEN, 0)
        assert before <= run.created <= time.time()
        assert (run.started, run.ended, run.reason, run.activity) == (None, None, "", "")
        assert not run.is_ended
        assert not run.has_model

    def test_gives_unguessable_ids(self, registry):
        """Ids are unique, and long enough that nobody can guess one."""
        ids = {registry.create(CHOSEN, "ada") for _ in range(50)}
        assert len(ids) == 50
        assert all(len(run_id) == 12 for run_id in ids)

    def test_can_be_read_by_another_process(self, registry):
        """A second registry with the same URL reads what the first one wrote."""
        run_id = registry.create(CHOSEN, "ada")
        other = Registry(Settings.from_environment().registry_url)
        assert other.get(run_id).hyperparameters == CHOSEN
        close(other)

    def test_an_unknown_run_is_not_found(self, registry):
        """The error for an unknown id names the id, shortened."""
        with pytest.raises(RunNotFound, match=r"received 'nobody'.*Check the link"):
            registry.get("nobody")
        with pytest.raises(RunNotFound) as caught:
            registry.get("x" * 10_000)
        assert len(str(caught.value)) < 300

    def test_a_hostile_id_is_only_an_id(self, registry):
        """SQL in an id finds no run and has no effect."""
        run_id = registry.create(CHOSEN, "ada")
        with pytest.raises(RunNotFound):
            registry.get("'; DROP TABLE runs; --")
        assert registry.get(run_id).state == RunState.QUEUED


class TestStates:
    @pytest.mark.parametrize("state", RunState)
    def test_are_plain_words_in_the_database(self, registry, state):
        """Other programs that read the table, and older versions, find the state as a plain word."""
        run_id = run_in(registry, state)
        assert registry.get(run_id).state is state
        with registry._reading() as connection:
            assert connection.exec_driver_sql("SELECT state FROM runs").scalars().all() == [state.value]

    def test_three_of_them_are_ends(self):
        """A run ends as finished, stopped or failed."""
        assert ENDED == ["finished", "stopped", "failed"]


class TestListRuns:
    def test_shows_only_the_owners(self, registry):
        """A visitor sees only their own runs, newest first."""
        mine = [registry.create(CHOSEN, "ada") for _ in range(3)]
        registry.create(CHOSEN, "bob")
        assert [run.id for run in registry.list_runs("ada")] == mine[::-1]
        assert [run.owner for run in registry.list_runs("bob")] == ["bob"]
        assert registry.list_runs("") == []
        assert [run.id for run in registry.list_runs("ada", limit=1)] == mine[-1:]


class TestClaim:
    def test_takes_the_run_that_has_waited_longest(self, registry):
        """Runs are claimed in the order of their creation, whoever owns them, until none is left."""
        ids = [registry.create(CHOSEN, owner) for owner in ("ada", "bob", "ada")]
        assert [registry.claim().id for _ in ids] == ids
        assert registry.claim() is None

    def test_starts_the_run(self, registry):
        """A claimed run is running, and its start time is now."""
        run_id = registry.create(CHOSEN, "ada")
        claimed = registry.claim()
        assert claimed == registry.get(run_id)
        assert (claimed.state, claimed.hyperparameters) == (RunState.RUNNING, CHOSEN)
        assert claimed.created <= claimed.started <= time.time()

    def test_gives_a_run_to_one_thread_only(self, registry):
        """When many threads claim at the same time, every run goes to exactly one of them."""
        ids = {registry.create(CHOSEN, "ada") for _ in range(24)}
        url, claimed, barrier = Settings.from_environment().registry_url, [], threading.Barrier(6)

        def claim_all(own):
            barrier.wait()
            while run := own.claim():
                claimed.append(run.id)

        registries = [registry, registry, registry, *(Registry(url) for _ in range(3))]
        threads = [threading.Thread(target=claim_all, args=(own,)) for own in registries]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for own in registries[3:]:
            close(own)
        assert len(claimed) == len(ids)
        assert set(claimed) == ids


class TestStop:
    def test_takes_a_queued_run_out_at_once(self, registry):
        """A run that has not begun is stopped without a trainer; its reason says why it has no result."""
        run_id = run_in(registry, RunState.QUEUED)
        registry.request_stop(run_id)
        run = registry.get(run_id)
        assert (run.state, run.has_model) == (RunState.STOPPED, False)
        assert "queue" in run.reason
        assert run.ended is not None
        assert registry.claim() is None

    def test_reaches_the_trainer_of_a_running_run(self, registry):
        """The trainer sees the request when it next records, and ends the run itself."""
        run_id = run_in(registry, RunState.RUNNING)
        assert registry.record(run_id, [row(200)]).stop_requested is False
        registry.request_stop(run_id)
        assert registry.get(run_id).state == RunState.RUNNING
        assert registry.get(run_id).stop_requested
        assert registry.record(run_id, [row(300)]).stop_requested

    @pytest.mark.parametrize("state", ENDED)
    def test_cannot_stop_what_has_ended(self, registry, state):
        """Stopping an ended run is an error."""
        with pytest.raises(RunAlreadyFinished, match=f"this one is {state}"):
            registry.request_stop(run_in(registry, state))

    def test_cannot_stop_what_never_was(self, registry):
        """Stopping an unknown run raises RunNotFound."""
        with pytest.raises(RunNotFound):
            registry.request_stop("nobody")


class TestAnEndedRun:
    @pytest.mark.parametrize("state", ENDED)
    @pytest.mark.parametrize(
        "change",
        [
            lambda registry, run_id: registry.finish(run_id, RunState.FINISHED, test_correct=1, test_total=1),
            lambda registry, run_id: registry.finish(run_id, RunState.FAILED, reason="later"),
            lambda registry, run_id: registry.requeue(run_id),
            lambda registry, run_id: registry.record(run_id, [row(200)]),
            lambda registry, run_id: registry.set_activity(run_id, "Saving", data="other"),
            lambda registry, run_id: registry.set_paused(run_id),
            lambda registry, run_id: registry.rewind(run_id, 50),
            lambda registry, run_id: registry.take_changes(run_id, 50, [Change(None, "dropout", 0.0, 0.1)]),
        ],
        ids=["finish", "fail", "requeue", "record", "set_activity", "pause", "rewind", "take_changes"],
    )
    def test_never_changes(self, registry, state, change):
        """Later writes by its trainer are refused, and change neither an ended run nor its progress."""
        run_id = run_in(registry, state)
        run, metrics = registry.get(run_id), registry.metrics(run_id)
        with pytest.raises(LeaseLost):
            change(registry, run_id)
        assert registry.get(run_id) == run
        assert registry.metrics(run_id) == metrics

    @pytest.mark.parametrize("state", ENDED)
    def test_is_never_taken_again(self, registry, state):
        """Neither a trainer that looks for work nor the end of its trainer brings an ended run back."""
        run_id = run_in(registry, state)
        run = registry.get(run_id)
        registry.release(registry.worker)
        assert registry.claim() is None
        assert registry.get(run_id) == run

    def test_keeps_its_result(self, registry):
        """The number of correct test images is stored when the run ends."""
        run_id = run_in(registry, RunState.RUNNING)
        registry.finish(run_id, RunState.FINISHED, test_correct=915, test_total=1000)
        run = registry.get(run_id)
        assert (run.state, run.test_correct, run.test_total, run.activity) == (RunState.FINISHED, 915, 1000, "")
        assert run.is_ended
        assert run.has_model
        assert run.started <= run.ended


class TestRequeue:
    def test_makes_a_run_wait_at_its_old_place(self, registry):
        """A run whose trainer has to end keeps its progress, its place in the queue and its hyperparameters."""
        run_id = run_in(registry, RunState.RUNNING)
        later = registry.create(CHOSEN, "ada")
        registry.requeue(run_id)
        run = registry.get(run_id)
        assert (run.state, run.step, run.activity) == (RunState.QUEUED, 100, "")
        assert registry.metrics(run_id) == [row(100)]
        assert [registry.claim().id, registry.claim().id] == [run_id, later]

    def test_can_be_rewound_to_its_checkpoint(self, registry):
        """Progress recorded after the checkpoint is removed, because that part is trained again."""
        run_id = run_in(registry, RunState.RUNNING)
        registry.record(run_id, [row(200), row(300)])
        registry.rewind(run_id, 200)
        assert registry.get(run_id).step == 200
        assert registry.history(run_id) == [row(100), row(200)]

    def test_leaves_a_queued_run_alone(self, registry):
        """A run that is not running cannot be re-queued."""
        run_id = run_in(registry, RunState.QUEUED)
        before = registry.get(run_id)
        with pytest.raises(LeaseLost):
            registry.requeue(run_id)
        assert registry.get(run_id) == before


class TestLease:
    def test_belongs_to_one_trainer(self, registry, another):
        """A run in training is not given to a second trainer, and only its own trainer can write it."""
        run_id = run_in(registry, RunState.RUNNING)
        assert another.claim() is None
        with pytest.raises(LeaseLost):
            another.record(run_id, [row(200)])
        registry.record(run_id, [row(200)])
        assert registry.get(run_id).worker == registry.worker != another.worker

    def test_of_which_its_trainer_never_heard_is_given_again(self, registry, monkeypatch):
        """The database carried out a claim and then was lost; the next claim of that trainer returns the same run."""

        @contextlib.contextmanager
        def lost_after_commit():
            with writing() as connection:
                yield connection
            raise RegistryBusy("the connection failed")

        run_id, writing = registry.create(CHOSEN, "ada"), registry._writing
        monkeypatch.setattr(registry, "_writing", lost_after_commit)
        with pytest.raises(RegistryBusy):
            registry.claim()
        monkeypatch.undo()
        assert registry.get(run_id).state is RunState.RUNNING
        run = registry.claim()
        assert (run.id, run.attempts) == (run_id, 0)
        assert registry.claim() is None

    def test_is_renewed_by_progress_and_by_heartbeats(self, registry):
        """Each record, activity and heartbeat moves its end to twenty seconds from then."""
        run_id = run_in(registry, RunState.RUNNING)
        for renew in (
            lambda: registry.record(run_id),
            lambda: registry.set_activity(run_id, "Saving"),
            lambda: registry.beat(1, "training"),
        ):
            set_lease(registry, 5.0)
            renew()
            assert registry.get(run_id).lease_until == pytest.approx(time.time() + LEASE_SECONDS, abs=3)

    def test_is_not_renewed_for_a_trainer_that_hangs(self, registry, monkeypatch):
        """If its trainer has written nothing for ten minutes, heartbeats alone do not keep a run."""
        run_id = run_in(registry, RunState.RUNNING)
        set_lease(registry, 5.0)
        monkeypatch.setattr(registry, "_last_write", time.monotonic() - 601)
        before = registry.get(run_id).lease_until
        registry.beat(1, "training")
        assert registry.get(run_id).lease_until == before

    def test_lapses_when_its_trainer_is_silent(self, registry, another):
        """Another trainer then takes the run over; the old one's next write is refused and changes nothing."""
        run_id = run_in(registry, RunState.RUNNING)
        set_lease(registry, -1.0)
        taken = another.claim()
        assert (taken.id, taken.worker, taken.claims, taken.attempts, taken.step) == (run_id, another.worker, 2, 1, 100)
        with pytest.raises(LeaseLost):
            registry.record(run_id, [row(200)])
        with pytest.raises(LeaseLost):
            registry.finish(run_id, RunState.FAILED, reason="late")
        registry.beat(1, "training")
        assert registry.get(run_id) == taken
        assert registry.metrics(run_id) == [row(100)]

    def test_ends_at_once_when_its_trainer_is_known_to_be_dead(self, registry, another):
        """The keeper of a dead process says so; nobody has to wait until the lease lapses."""
        run_id = run_in(registry, RunState.RUNNING)
        another.release(registry.worker)
        assert another.claim().id == run_id

    def test_lapses_when_the_clock_is_set_back(self, registry, another):
        """Whatever was to last until then would last for an hour."""
        run_id = run_in(registry, RunState.RUNNING)
        assert another.claim() is None
        set_lease(registry, 3600.0)
        assert another.claim().id == run_id

    def test_is_taken_over_by_one(self, registry):
        """When many trainers look for work at the same time, an abandoned run goes to exactly one of them."""
        run_id = run_in(registry, RunState.RUNNING)
        set_lease(registry, -1.0)
        url, claimed, barrier = Settings.from_environment().registry_url, [], threading.Barrier(6)
        others = [Registry(url) for _ in range(6)]

        def claim(own):
            barrier.wait()
            claimed.append(own.claim())

        threads = [threading.Thread(target=claim, args=(own,)) for own in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for own in others:
            close(own)
        assert [run.id for run in claimed if run] == [run_id]
        assert registry.get(run_id).attempts == 1

    def test_of_a_version_without_leases_has_lapsed(self, registry):
        """A run that an older version left in training is continued."""
        run_id = run_in(registry, RunState.RUNNING)
        with registry._writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET lease_until = NULL, worker = ''")
        assert registry.claim().id == run_id


class TestAbandonedRuns:
    def test_fail_when_they_kill_every_trainer(self, registry):
        """A run during which trainers keep dying fails with a reason."""
        abandoned = run_in(registry, RunState.RUNNING)
        for _ in range(2):
            registry.release(registry.worker)
            assert registry.claim(attempts=3).id == abandoned
        registry.release(registry.worker)
        assert registry.claim(attempts=3) is None
        run = registry.get(abandoned)
        assert (run.state, run.activity) == (RunState.FAILED, "")
        assert "trainer process died 3 times" in run.reason
        assert run.ended is not None

    def test_are_forgiven_once_they_make_progress(self, registry):
        """A checkpoint resets the count of attempts."""
        abandoned = run_in(registry, RunState.RUNNING)
        registry.release(registry.worker)
        assert registry.claim().attempts == 1
        registry.record(abandoned, attempts=0)
        assert registry.get(abandoned).attempts == 0


class TestTurns:
    def test_go_to_the_visitor_who_was_served_least_recently(self, registry):
        """One visitor's many runs do not hold up another's: the visitors take turns, each with the oldest run first."""
        ada = [registry.create(CHOSEN, "ada") for _ in range(3)]
        bob = [registry.create(CHOSEN, "bob") for _ in range(2)]
        served = []
        while run := registry.claim():
            served.append(run.id)
            registry.finish(run.id, RunState.FINISHED)
        assert served == [ada[0], bob[0], ada[1], bob[1], ada[2]]

    def test_count_what_is_in_training(self, registry, another):
        """With two trainers, a visitor gets a second one only if nobody without one waits."""
        ada = [registry.create(CHOSEN, "ada") for _ in range(2)]
        bob = registry.create(CHOSEN, "bob")
        assert [registry.claim().id, another.claim().id] == [ada[0], bob]
        registry.finish(ada[0], RunState.FINISHED)
        cleo = registry.create(CHOSEN, "cleo")
        later = registry.create(CHOSEN, "bob")
        assert [registry.claim().id, registry.claim().id, registry.claim().id] == [cleo, ada[1], later]

    def test_end_when_another_visitor_waits(self, registry):
        """A run is awaited by another visitor's next run, but not by its owner's, nor by those of who is served too."""
        run = registry.get(run_in(registry, RunState.RUNNING))
        registry.create(CHOSEN, "ada")
        assert not registry.is_awaited(run)
        bob = registry.create(CHOSEN, "bob")
        assert registry.is_awaited(run)
        assert registry.claim().id == bob
        registry.create(CHOSEN, "bob")
        assert not registry.is_awaited(run)

    def test_come_again_for_a_run_that_was_put_back(self, registry):
        """A long run that was put back continues after the run that waited."""
        long = run_in(registry, RunState.RUNNING)
        short = registry.create(CHOSEN, "bob")
        registry.requeue(long)
        assert registry.claim().id == short
        registry.finish(short, RunState.FINISHED)
        assert registry.claim().id == long


class TestTrainers:
    def test_are_started_once_by_many_servers(self, registry, another):
        """Of two servers that look at the same time, one may start a trainer; it counts before its first heartbeat."""
        assert registry.enlist("first", unless_served=True, grace_seconds=60)
        assert not another.enlist("second", unless_served=True, grace_seconds=60)
        assert another.enlist("third", unless_served=False, grace_seconds=60)
        status = registry.trainer_status()
        assert (status.pid, status.activity) == (0, "starting")

    def test_are_missed_when_they_are_silent(self, registry, another):
        """A trainer whose machine has gone, or whose keeper says that it died, no longer stands in the way."""
        registry.beat(1, "training")
        assert not another.enlist("second", unless_served=True, grace_seconds=60)
        with registry._writing() as connection:
            connection.exec_driver_sql("UPDATE workers SET heartbeat = heartbeat - 11")
        assert another.enlist("second", unless_served=True, grace_seconds=60)
        another.release("second")
        assert registry.enlist("third", unless_served=True, grace_seconds=60)


class TestCommands:
    def test_pause_reaches_the_trainer(self, registry):
        """A running run is asked to pause, then set paused with no request left, and resumed at its old place."""
        run_id = run_in(registry, RunState.RUNNING)
        registry.request_pause(run_id)
        assert registry.record(run_id).pause_at == 0
        registry.set_paused(run_id)
        assert (registry.get(run_id).state, registry.get(run_id).pause_at) == (RunState.PAUSED, None)
        assert registry.claim() is None
        later = registry.create(CHOSEN, "ada")
        registry.request_resume(run_id, pause_at=250)
        assert registry.get(run_id).pause_at == 250
        assert [registry.claim().id, registry.claim().id] == [run_id, later]

    def test_a_queued_run_pauses_at_once(self, registry):
        """A queued run pauses without a trainer."""
        run_id = registry.create(CHOSEN, "ada")
        registry.request_pause(run_id)
        assert registry.get(run_id).state == RunState.PAUSED

    def test_stopping_a_paused_run_lets_the_trainer_save_it(self, registry):
        """The run goes back to the trainer, which saves its model."""
        run_id = run_in(registry, RunState.RUNNING)
        registry.set_paused(run_id)
        registry.request_stop(run_id)
        assert registry.claim().stop_requested

    def test_stopping_a_run_that_never_began_ends_it(self, registry):
        """A run that never began has no model to save."""
        run_id = registry.create(CHOSEN, "ada")
        registry.request_pause(run_id)
        registry.request_stop(run_id)
        assert registry.get(run_id).state == RunState.STOPPED

    @pytest.mark.parametrize("state", ENDED)
    def test_an_ended_run_takes_none(self, registry, state):
        """Every command on an ended run raises an error that states the run's state."""
        run_id = run_in(registry, state)
        for command in (
            registry.request_pause,
            registry.request_resume,
            registry.request_stop,
            registry.request_save,
            lambda run_id: registry.request_change(run_id, "dropout", 0.1),
        ):
            with pytest.raises(RunAlreadyFinished, match=f"this one is {state}"):
                command(run_id)


class TestChanges:
    def test_are_kept_with_the_iteration_at_which_they_took_effect(self, registry):
        """A change is pending until it takes effect, then part of the record; a newer pending change replaces it."""
        run_id = run_in(registry, RunState.RUNNING)
        registry.request_change(run_id, "learning_rate", 0.1)
        registry.request_change(run_id, "learning_rate", 0.01)
        registry.request_change(run_id, "dropout", 0.2)
        waiting = registry.record(run_id).changes
        assert waiting == (Change(None, "learning_rate", None, 0.01), Change(None, "dropout", None, 0.2))
        registry.take_changes(run_id, 150, [Change(None, "learning_rate", 0.5, 0.01)])
        assert registry.changes(run_id) == [
            Change(150, "learning_rate", 0.5, 0.01),
            Change(None, "dropout", None, 0.2),
        ]

    def test_can_be_planned(self, registry):
        """A run can start with another run's changes; changes that never took effect are left out."""
        record = [Change(150, "dropout", 0.0, 0.4), Change(None, "dropout", None, 0.5)]
        run_id = registry.create(CHOSEN, "ada", changes=record, name="again")
        assert registry.changes(run_id) == record[:1]
        assert registry.get(run_id).name == "again"


class TestDeleting:
    def test_hides_a_run_and_can_be_undone(self, registry):
        """A deleted run appears only in the list of deleted runs until it is restored."""
        run_id = run_in(registry, RunState.FINISHED)
        registry.set_deleted([run_id], 123.0)
        assert registry.list_runs("ada") == []
        assert [run.id for run in registry.list_runs("ada", deleted=True)] == [run_id]
        assert registry.list_deleted(before=200.0) == [run_id]
        assert registry.list_deleted(before=100.0) == []
        registry.set_deleted([run_id], None)
        assert [run.id for run in registry.list_runs("ada")] == [run_id]

    def test_purging_leaves_nothing(self, registry):
        """After a purge, the run and its history no longer exist."""
        run_id = run_in(registry, RunState.FINISHED)
        registry.purge(run_id)
        assert registry.history(run_id) == []
        with pytest.raises(RunNotFound):
            registry.get(run_id)


def test_a_run_trained_elsewhere_can_be_imported(registry):
    """An imported run is finished from the start and has its result."""
    run_id = registry.add_imported(CHOSEN, "ada", name="mine", data="Imported.", test_correct=99, test_total=100)
    run = registry.get(run_id)
    assert (run.state, run.name, run.data, run.has_model) == (RunState.FINISHED, "mine", "Imported.", True)
    assert (run.test_correct, run.test_total) == (99, 100)


class TestActivity:
    def test_is_shown_while_a_run_is_running(self, registry):
        """The trainer's activity is shown, with further facts, until the next iterations."""
        run_id = run_in(registry, RunState.RUNNING)
        registry.set_activity(run_id, "Saving", data="MNIST")
        assert (registry.get(run_id).activity, registry.get(run_id).data) == ("Saving", "MNIST")
        registry.record(run_id, [row(200)])
        assert registry.get(run_id).activity == ""
        assert registry.get(run_id).step == 200

    def test_the_trainer_says_that_it_lives(self, registry):
        """The newest heartbeat gives the trainer's process id, its activity and its age."""
        assert registry.trainer_status() is None
        registry.beat(1, "loading TensorFlow")
        registry.beat(2, "training")
        status = registry.trainer_status()
        assert (status.pid, status.activity) == (2, "training")
        assert 0 <= status.age_seconds < 5


class TestMetrics:
    def test_come_back_as_recorded(self, registry):
        """Rows are returned in the order of their steps, with every metric; None stays None."""
        run_id = run_in(registry, RunState.QUEUED)
        registry.claim()
        rows = [row(50), row(100, val_loss=0.25, val_accuracy=0.9), row(150)]
        registry.record(run_id, rows[:2])
        registry.record(run_id, rows[2:])
        registry.record(run_id, [])
        assert registry.metrics(run_id) == rows
        assert list(rows[0]) == METRIC_NAMES

    def test_belong_to_one_run(self, registry):
        """A run's history contains only its own rows."""
        run_in(registry, RunState.RUNNING)
        assert registry.metrics(registry.create(CHOSEN, "ada")) == []

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        count=st.integers(1, 700),
        spacing=st.sampled_from([1, 7, 10, 50]),
        validated=st.sets(st.integers(1, 700), max_size=30),
        max_points=st.integers(1, 200),
    )
    def test_are_thinned_but_keep_what_matters(self, registry, count, spacing, validated, max_points):
        """For a long run, all validations and the last row are kept, and few other rows."""
        run_id = registry.create(CHOSEN, "ada")
        registry.claim()
        rows = [
            row(index * spacing, val_loss=0.5 if index in validated else None, val_accuracy=None)
            for index in range(1, count + 1)
        ]
        registry.record(run_id, rows)
        registry.finish(run_id, RunState.FINISHED)
        kept = registry.metrics(run_id, max_points=max_points)
        steps = [item["step"] for item in kept]
        wanted = {item["step"] for item in rows if item["val_loss"] is not None}
        wanted.add(rows[-1]["step"])
        assert steps == sorted(set(steps))
        assert wanted <= set(steps)
        assert len(set(steps) - wanted) <= max_points
        assert all(item in rows for item in kept)
        if count <= max_points:
            assert kept == rows

    def test_evenly_cover_a_long_run(self, registry):
        """The remaining rows are evenly spaced."""
        run_id = registry.create(CHOSEN, "ada")
        registry.claim()
        registry.record(run_id, [row(10 * index) for index in range(1, 2001)])
        steps = [item["step"] for item in registry.metrics(run_id, max_points=400)]
        assert 400 <= len(steps) <= 601
        assert max(after - before for before, after in itertools.pairwise(steps)) <= 50


class TestQueue:
    def test_counts_the_runs_ahead(self, registry):
        """A place in the queue counts the run in training and the runs whose turn comes earlier."""
        ids = [registry.create(CHOSEN, owner) for owner in ("ada", "bob", "ada", "bob")]
        registry.request_stop(ids[1])
        registry.claim()
        assert [registry.runs_ahead(registry.get(run_id)) for run_id in ids[2:]] == [2, 1]
        registry.finish(ids[0], RunState.FINISHED)
        assert [registry.runs_ahead(registry.get(run_id)) for run_id in ids[2:]] == [1, 0]

    def test_counts_what_waits_or_trains(self, registry):
        """Queued and running runs count, for one owner or for all; ended runs do not."""
        for owner in ("ada", "ada", "ada", "bob"):
            registry.create(CHOSEN, owner)
        registry.finish(registry.claim().id, RunState.FINISHED)
        registry.claim()
        assert (registry.count_waiting("ada"), registry.count_waiting("bob"), registry.count_waiting()) == (2, 1, 3)
        assert registry.count_waiting("nobody") == 0


class TestUnavailable:
    def test_garbage_is_no_registry(self, tmp_path):
        """A file that is not a database is refused; the error gives a remedy."""
        path = tmp_path / "garbage.sqlite"
        path.write_bytes(b"this is no database, but it is long enough to be looked at" * 20)
        with pytest.raises(RegistryUnavailable, match=r"not a database.*DIGITS_REGISTRY_URL"):
            Registry(f"sqlite:///{path}")
        assert path.read_bytes().startswith(b"this is no database")

    def test_a_missing_folder_is_made(self, tmp_path):
        """A registry creates its folder if it is missing."""
        registry = Registry(f"sqlite:///{tmp_path / 'new' / 'registry.sqlite'}")
        assert registry.count_waiting() == 0
        close(registry)

    def test_a_file_where_the_folder_should_be_is_an_error(self, tmp_path):
        """A registry whose folder cannot be created does not open, and the error says why."""
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(RegistryUnavailable, match="should be readable and writable"):
            Registry(f"sqlite:///{tmp_path / 'file' / 'registry.sqlite'}")

    @pytest.mark.parametrize("url", ["", "nonsense", "nosuchdatabase://somewhere"])
    def test_a_malformed_url_is_an_error(self, url):
        """A malformed URL raises RegistryUnavailable, not another library's error."""
        with pytest.raises(RegistryUnavailable, match="DIGITS_REGISTRY_URL"):
            Registry(url)

    def test_a_password_is_not_shown(self):
        """The URL in an error message contains no password."""
        with pytest.raises(RegistryUnavailable) as caught:
            Registry("nosuchdatabase://ada:secret@somewhere/digits")
        assert "secret" not in str(caught.value)

    def test_a_registry_damaged_later_is_an_error(self, registry):
        """If a database loses its tables while it is open, every call raises RegistryUnavailable."""
        with registry._writing() as connection:
            for name in ("metrics", "changes", "runs"):
                connection.exec_driver_sql(f"DROP TABLE {name}")
        for call in (
            lambda: registry.list_runs("ada"),
            registry.claim,
            registry.count_waiting,
            lambda: registry.record("abc", [row(100)]),
        ):
            with pytest.raises(RegistryUnavailable, match=r"no such table|does not exist"):
                call()

    def test_is_a_digits_error(self):
        """RegistryUnavailable is a DigitsError, so pages catch it with the others."""
        assert issubclass(RegistryUnavailable, DigitsError)


def test_a_process_opens_a_registry_once(registry):
    """All code in a process shares one registry for a URL."""
    assert open_registry(Settings.from_environment().registry_url) is registry


def test_every_preset_can_be_stored(registry):
    """The hyperparameters of every preset survive a round trip through the database."""
    for preset in PRESETS.values():
        run_id = registry.create(preset.hyperparameters, "ada")
        assert registry.get(run_id).hyperparameters == preset.hyperparameters


def test_a_trainer_from_the_future_is_not_alive(registry):
    """The clock was set back after its last heartbeat, and it died before the next."""
    registry.beat(1, "training")
    with registry._writing() as connection:
        connection.execute(schema.workers.update().values(heartbeat=time.time() + 3600))
    assert registry.count_trainers() == 0
    assert registry.enlist("new", unless_served=True, grace_seconds=60.0)
    assert registry.count_trainers() == 1
