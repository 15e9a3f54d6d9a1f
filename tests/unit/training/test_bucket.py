"""A trainer whose store is a bucket: the whole life of a run, and what becomes of it while the bucket is away."""

import pytest

from digits.errors import StoreUnavailable
from digits.models import catalogue
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.schema import RunState
from digits.settings import Settings
from digits.store import open_store
from digits.training import checkpoints, timeline

LONG = Hyperparameters(network="softmax", iterations=400, optimizer="adam", learning_rate=0.01)


@pytest.fixture
def store(request, monkeypatch, tmp_path):
    """The bucket that this test's trainers use: in memory, or in S3 if its parameters say so."""
    url = "memory://runs"
    if getattr(request, "param", "") == "s3":
        for name, value in request.getfixturevalue("s3_server").items():
            monkeypatch.setenv(name, value)
        url = "s3://digits/training"
    monkeypatch.setenv("DIGITS_STORE_URL", f"{url}-{tmp_path.name}")
    return open_store(Settings.from_environment())


def weights_of(run_id):
    return (catalogue.find(run_id, Settings.from_environment()).folder / "model.tflite").read_bytes()


@pytest.mark.parametrize("store", ["memory", "s3"], indirect=True)
def test_a_run_is_paused_goes_on_elsewhere_and_leaves_its_model_in_the_bucket(registry, serve, store, runs_dir):
    """Another trainer continues from the checkpoint, as if nothing had happened; no file of the run lies here."""
    peaceful, paused = (commands.submit(registry, LONG, "ada") for _ in range(2))
    commands.pause(registry, paused, "ada")
    commands.step(registry, paused, "ada", 130)
    serve(then=[lambda: None])
    assert registry.get(paused).state == RunState.PAUSED
    assert checkpoints.steps(store, paused)[0] == 130
    commands.resume(registry, paused, "ada")
    serve()
    assert registry.get(paused).state == RunState.FINISHED
    assert checkpoints.steps(store, paused) == []
    taken = timeline.steps(store, paused)
    assert taken == timeline.steps(store, peaceful) != []
    assert timeline.read(store, paused, taken[-1]).confusion.shape == (10, 10)
    assert weights_of(paused) == weights_of(peaceful)
    assert registry.get(paused).disk_bytes == catalogue.size_of_run(paused, Settings.from_environment())
    assert not [path for path in runs_dir.rglob(f"*{paused}*") if ".copies" not in path.parts]


class TestABucketThatIsAway:
    @pytest.fixture
    def away(self, store, monkeypatch):
        """Functions that take the bucket away, and bring it back."""
        patch = pytest.MonkeyPatch()

        def fail(*_, **__):
            raise ConnectionError("nobody listens")

        def leave():
            for name in ("cat_file", "pipe_file", "find", "ukey"):
                patch.setattr(store._files, name, fail)

        yield leave, patch.undo
        patch.undo()

    def test_pauses_a_run_instead_of_beginning_it_again(self, registry, serve, store, away):
        """Its checkpoint is not skipped; with the bucket back, Resume goes on from there."""
        leave, come_back = away
        run_id = commands.submit(registry, LONG, "ada")
        commands.pause(registry, run_id, "ada")
        commands.step(registry, run_id, "ada", 130)
        serve()
        leave()
        commands.resume(registry, run_id, "ada")
        serve()
        run = registry.get(run_id)
        assert (run.state, run.step) == (RunState.PAUSED, 130)
        assert run.reason == (
            "The store that keeps models and checkpoints does not answer. Wait a minute. "
            "Then press Resume: the run goes on from its last checkpoint."
        )
        come_back()
        commands.resume(registry, run_id, "ada")
        serve()
        assert registry.get(run_id).state == RunState.FINISHED

    def test_does_not_keep_a_run_from_training(self, registry, serve, store, away):
        """It waits with its model until the bucket is back, and says so; the moments that it missed stay lost."""
        leave, come_back = away
        run_id = commands.submit(registry, LONG, "ada")
        commands.pause(registry, run_id, "ada")
        commands.step(registry, run_id, "ada", 130)
        seen = []

        def look():
            seen.append(registry.get(run_id))
            come_back()

        serve(then=[leave, lambda: commands.resume(registry, run_id, "ada"), look])
        assert (seen[0].state, seen[0].step) == (RunState.RUNNING, 400)
        assert seen[0].reason.endswith(
            "Its model cannot be saved yet: the store does not answer. Wait a minute. "
            "Training is complete; saving is tried again until it succeeds."
        )
        run = registry.get(run_id)
        lost = "A moment of its time line could not be kept: the store does not answer. Wait a minute."
        assert (run.state, run.reason) == (RunState.FINISHED, lost)
        assert catalogue.find(run_id, Settings.from_environment()).card.test.total == run.test_total

    def test_cannot_be_read(self, store, away):
        away[0]()
        with pytest.raises(StoreUnavailable):
            list(checkpoints.load(store, "run"))
