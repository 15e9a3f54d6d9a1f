"""Starting a failed run again: a new run goes on from the failed one's last checkpoint."""

from digits.data import corrections
from digits.runs import admission, commands, names
from digits.runs.registry import Registry
from digits.runs.schema import Run, RunState
from digits.store import Store
from digits.training import checkpoints, timeline
from digits.training.beginnings import with_files


def last_step(store: Store, run: Run) -> int:
    """Return the iteration of a failed run's last checkpoint; 0 if it has none, or if it has not failed."""
    return max([0, *checkpoints.steps(store, run.id)]) if run.state is RunState.FAILED else 0


def start(registry: Registry, store: Store, run: Run, owner: str, *, address: str = "") -> str:
    """Queue a run that goes on where a failed one has its last checkpoint, and return its id.

    It repeats the failed run's settings and changes, and has its progress up to that checkpoint. If the checkpoint is
    damaged, it goes on from the one before it. The failed run stays as it is.

    Raises:
        NotYourRun: the run belongs to another visitor.
        TooManyRuns, QuotaReached: as `commands.submit`.
        OSError: the checkpoint cannot be copied, for example because the disk is full.
    """
    commands.require_owner(run, owner)
    admission.require_submission(registry.usage(owner))  # before anything is copied, and then once more
    step = last_step(store, run)
    history = [row for row in registry.history(run.id) if row["step"] <= step]
    with with_files(registry, store, "again", owner, run.id) as run_id:
        checkpoints.copy(store, run.id, run_id)
        timeline.copy(store, run.id, run_id, until=step)
        if run.parent:
            corrections.write_of_run(store, run_id, corrections.load_of_run(store, run.id))
        return commands.submit(
            registry,
            run.hyperparameters,
            owner,
            changes=registry.changes(run.id),
            name="" if names.is_given(run.name) else run.name,
            address=address,
            id=run_id,
            step=step,
            history=history,
            precision=run.precision,
            parent=run.parent,
        )
