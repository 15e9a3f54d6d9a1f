"""tensorboard: the logs hold the curves of the registry."""

import tensorflow as tf

from digits.training.tensorboard import RunLog

MEASURED = {"seconds": 1.0, "loss": 0.5, "accuracy": 0.75, "val_loss": None, "val_accuracy": None}


def logged(folder):
    """Return what TensorBoard shows of a folder's event files, as (tag, step, value); a restart hides later rows."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            if event.session_log.status == tf.compat.v1.SessionLog.START:
                found = [point for point in found if point[1] < event.step]
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    return found


def test_training_and_validation_become_two_curves(tmp_path):
    """Every row becomes a point of `train`, and a row with a validation also a point of `validation`."""
    log = RunLog(tmp_path / "a-run")
    log.write({**MEASURED, "step": 10})
    log.write({**MEASURED, "step": 20, "val_loss": 0.25, "val_accuracy": 0.875})
    log.close()
    assert logged(tmp_path / "a-run" / "train") == [
        ("loss", 10, 0.5),
        ("accuracy", 10, 0.75),
        ("loss", 20, 0.5),
        ("accuracy", 20, 0.75),
    ]
    assert logged(tmp_path / "a-run" / "validation") == [("loss", 20, 0.25), ("accuracy", 20, 0.875)]


def test_the_log_can_be_read_live_and_continued(tmp_path):
    """Points can be read before the log is closed, and a second log of the same run adds to the first."""
    first, second = RunLog(tmp_path), RunLog(tmp_path, 10)
    first.write({**MEASURED, "step": 10})
    assert {step for _, step, _ in logged(tmp_path / "train")} == {10}
    first.close()
    second.write({**MEASURED, "step": 20})
    second.close()
    assert {step for _, step, _ in logged(tmp_path / "train")} == {10, 20}


def test_a_run_continued_from_its_checkpoint_hides_later_rows(tmp_path):
    """Rows logged between the checkpoint and a kill are discarded in both curves, even before they are logged again."""
    killed, resumed = RunLog(tmp_path), RunLog(tmp_path, 20)
    for step in (10, 20, 30, 40):
        killed.write({**MEASURED, "step": step, "val_loss": step / 100, "val_accuracy": 0.5})
    resumed.write({**MEASURED, "step": 30, "loss": 0.25})
    killed.close()
    resumed.close()
    assert [point for point in logged(tmp_path / "train") if point[0] == "loss"] == [
        ("loss", 10, 0.5),
        ("loss", 20, 0.5),
        ("loss", 30, 0.25),
    ]
    assert {step for _, step, _ in logged(tmp_path / "validation")} == {10, 20}


def test_a_log_that_cannot_be_written_gives_one_warning(tmp_path, caplog):
    """If the folder's path is a file, rows are dropped and the trainer logs one warning."""
    (tmp_path / "taken").write_text("a file")
    log = RunLog(tmp_path / "taken")
    for step in (10, 20, 30):
        log.write({**MEASURED, "step": step})
    log.close()
    assert caplog.text.count("cannot write TensorBoard logs") == 1
