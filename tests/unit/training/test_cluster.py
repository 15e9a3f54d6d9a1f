"""cluster: how many trainers fit, what is refused, and what is asked of Ray; with Ray itself where it is installed."""

import os
import subprocess
import sys
import time
import types

import pytest

from digits.errors import ClusterUnusable
from digits.runs import commands
from digits.runs.hyperparameters import Hyperparameters
from digits.runs.registry import Registry
from digits.runs.schema import RunState
from digits.settings import PROJECT_DIR, Settings
from digits.training import cluster, keeper
from tests import postgresql

SHARED = {"DIGITS_REGISTRY_URL": "postgresql+psycopg://digits@db/digits", "DIGITS_CLUSTER": "auto"}


class FakeRay:
    """Stands in for Ray: tasks are numbers, and those in `ended` have ended."""

    class exceptions:  # noqa: N801 - Ray's name
        class RayError(Exception):
            pass

    def __init__(self, **has):
        self.has, self.tasks, self.ended, self.lost, self.options, self.address = has, 0, set(), set(), {}, ""

    def init(self, address, runtime_env, **_):
        if address == "nowhere":
            raise ConnectionError("nobody listens")
        self.address, self.variables = address, runtime_env["env_vars"]

    def remote(self, **options):
        self.options = options
        return lambda function: types.SimpleNamespace(remote=self._submit)

    def _submit(self, _settings):
        self.tasks += 1
        return self.tasks

    def cluster_resources(self):
        return self.has

    def wait(self, tasks, num_returns, timeout):
        return [task for task in tasks if task in self.ended], [task for task in tasks if task not in self.ended]

    def get(self, task):
        if task in self.lost:
            raise self.exceptions.RayError("its node was lost")


@pytest.fixture
def ray(monkeypatch):
    fake = FakeRay(CPU=4.0, GPU=1.0)
    monkeypatch.setattr(cluster, "_ray", lambda: fake)
    return fake


def settings(**variables):
    return Settings.from_environment({**SHARED, **variables})


@pytest.mark.parametrize(
    ("has", "cpus", "gpus", "fit"),
    [
        ({"CPU": 4.0}, 1, 0, 4),
        ({"CPU": 5.0}, 2, 0, 2),
        ({"CPU": 1.0}, 0.5, 0, 2),
        ({"CPU": 8.0, "GPU": 1.0}, 2, 1, 1),
        ({"CPU": 8.0}, 2, 1, 0),
        ({}, 1, 0, 0),
    ],
)
def test_says_how_many_trainers_fit(has, cpus, gpus, fit):
    assert cluster.room(has, cpus=cpus, gpus=gpus) == fit


def test_asks_for_as_many_trainers_as_fit_and_replaces_those_that_end(ray, caplog):
    """One whose node is lost for good is told in the log; a node that joins is used."""
    trainers = cluster.Cluster(settings(DIGITS_TRAINER_CPUS="2"))
    assert (ray.address, ray.options["num_cpus"], ray.options["max_retries"]) == ("auto", 2.0, -1)
    trainers.look()
    trainers.look()
    assert ray.tasks == 2
    ray.ended, ray.lost = {1, 2}, {2}
    trainers.look()
    assert ray.tasks == 4
    assert "its node was lost" in caplog.text
    ray.has["CPU"] = 8.0
    trainers.look()
    assert ray.tasks == 6


def test_the_nodes_have_the_same_variables(ray, monkeypatch):
    """Quotas and paths hold on every node; the database's password and keys are not shown in Ray's state."""
    monkeypatch.setenv("DIGITS_MINUTES_PER_RUN", "7")
    monkeypatch.setenv("DIGITS_STORE_URL", "s3://bucket/runs")
    monkeypatch.setenv("DIGITS_REGISTRY_URL", "postgresql://digits:secret@db/digits")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    cluster.Cluster(settings())
    assert ray.variables["DIGITS_MINUTES_PER_RUN"] == "7"
    assert ray.variables["DIGITS_STORE_URL"] == "s3://bucket/runs"
    assert ray.variables["PYTHONPATH"] == str(PROJECT_DIR)
    assert "secret" not in str(ray.variables)


def test_a_number_of_trainers_may_be_set(ray):
    trainers = cluster.Cluster(settings(DIGITS_TRAINERS="3"))
    trainers.look()
    assert ray.tasks == 3


def test_refuses_a_registry_in_a_file():
    with pytest.raises(ClusterUnusable, match="PostgreSQL"):
        keeper.start_keepers(settings(DIGITS_REGISTRY_URL=""))


def test_says_that_no_cluster_answers(ray):
    with pytest.raises(ClusterUnusable, match=r"`DIGITS_CLUSTER=nowhere` .* Start its head"):
        cluster.Cluster(settings(DIGITS_CLUSTER="nowhere"))


def test_says_that_ray_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ClusterUnusable, match=r"requirements-cluster\.txt"):
        cluster.Cluster(settings())


@pytest.mark.parametrize("text", ["0", "x", "-1", "1e9", "0.05"])
def test_refuses_other_numbers_of_processors(text):
    with pytest.raises(ValueError, match=r"DIGITS_TRAINER_CPUS should be a number from 0\.1"):
        settings(DIGITS_TRAINER_CPUS=text)


def wait_for(condition, seconds=150):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def shared(runs_dir):
    """The environment of servers and nodes: a registry in PostgreSQL and a folder of runs."""
    programs = postgresql.find_programs()
    if programs is None:
        reason = "PostgreSQL's server is not installed: apt-get install postgresql."
        pytest.fail(reason) if os.environ.get("CI", "").lower() == "true" else pytest.skip(reason)
    with postgresql.serve(programs) as server, server.new_url() as url:
        yield {**os.environ, "DIGITS_RUNS_DIR": str(runs_dir), "DIGITS_REGISTRY_URL": url}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")
def test_a_run_outlives_the_node_that_trains_it(shared):
    """A run is paused and resumed on a real cluster; its node is killed, and another one takes it to its end."""
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: requirements-cluster.txt")
    nodes = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    first = nodes.add_node(num_cpus=1)
    registry = Registry(shared["DIGITS_REGISTRY_URL"])
    command = [sys.executable, "-m", "digits.training.cluster"]
    environment = {**shared, "DIGITS_CLUSTER": nodes.address}
    dispatcher = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=PROJECT_DIR, env=environment)
    try:
        chosen = Hyperparameters(network="corrected", iterations=20_000, batch_size=32)
        run_id = commands.submit(registry, chosen, "ada")
        wait_for(lambda: registry.get(run_id).step > 0)
        commands.pause(registry, run_id, "ada")
        wait_for(lambda: registry.get(run_id).state is RunState.PAUSED)
        commands.resume(registry, run_id, "ada")
        wait_for(lambda: registry.get(run_id).state is RunState.RUNNING)
        worker = registry.get(run_id).worker
        nodes.remove_node(first, allow_graceful=False)
        nodes.add_node(num_cpus=1)
        wait_for(lambda: registry.get(run_id).worker != worker)
        commands.stop(registry, run_id, "ada")
        wait_for(lambda: registry.get(run_id).is_ended)
        run = registry.get(run_id)
        assert (run.state, run.has_model, run.reason) == (RunState.STOPPED, True, "")
    finally:
        registry.close()
        dispatcher.stdin.close()
        dispatcher.wait(30)
        nodes.shutdown()
