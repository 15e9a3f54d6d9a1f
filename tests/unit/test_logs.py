"""logs: each line says when, how grave, and which run."""

import logging
import os
import re
import subprocess
import sys

import pytest

from digits import logs

logger = logging.getLogger("digits.training.trainer")


def test_a_line_has_time_level_module_and_run(configure_log, capsys):
    """The run's id is in the line; a line about no run has a dash; configuring twice does not log twice."""
    configure_log()
    configure_log()
    with logs.about_run("Xy-0123456_9"):
        logger.warning("the disk is %s", "full")
    logger.info("waiting")
    first, second = capsys.readouterr().err.splitlines()
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
    assert re.fullmatch(rf"{when} WARNING digits\.training\.trainer \[run Xy-0123456_9\] the disk is full", first)
    assert re.fullmatch(rf"{when} INFO digits\.training\.trainer \[run -\] waiting", second)


def test_an_error_comes_with_its_traceback(configure_log, capsys):
    """`logger.exception` tells the whole story."""
    configure_log()
    try:
        raise ZeroDivisionError("unlucky")
    except ZeroDivisionError:
        logger.exception("training broke")
    lines = capsys.readouterr().err.splitlines()
    assert "ERROR" in lines[0]
    assert lines[-1] == "ZeroDivisionError: unlucky"


def test_a_run_that_ends_in_an_error_is_named_no_longer(configure_log, capsys):
    """What is logged after a run is not about it, however it ended."""
    configure_log()
    with pytest.raises(ZeroDivisionError), logs.about_run("mine"):
        raise ZeroDivisionError
    logger.warning("next")
    assert "[run -] next" in capsys.readouterr().err


WRITE = """
import os
from digits import logs
with logs.without_start_up_lines():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n")
    os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
    os.write(2, b"I0000 00:00:1795714123.5 23160 port.cc:153] oneDNN custom operations are on.\\n")
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\\n")
os.write(2, b"later\\n")
"""
PREDICT = [sys.executable, "-m", "digits", "predict", "--model", "softmax"]


@pytest.mark.parametrize(("level", "count"), [("", 2), ("debug", 5)])
def test_start_up_lines_are_left_out_and_all_others_shown(level, count):
    """Unless `DIGITS_LOG_LEVEL` asks for them."""
    environment = os.environ | {"DIGITS_LOG_LEVEL": level}
    done = subprocess.run([sys.executable, "-c", WRITE], capture_output=True, text=True, check=True, env=environment)
    lines = done.stderr.splitlines()
    assert len(lines) == count
    assert lines[-2:] == ["terminate called after throwing an instance of 'std::bad_alloc'", "later"]


def test_what_goes_wrong_while_loading_is_shown():
    """An exception in the block leaves standard error as it was."""
    script = "from digits import logs\nwith logs.without_start_up_lines():\n    raise ZeroDivisionError('unlucky')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: unlucky"


def test_the_command_line_says_nothing_but_its_answer(tmp_path, seven):
    """LiteRT is loaded without a line about it."""
    (tmp_path / "seven.png").write_bytes(seven)
    done = subprocess.run([*PREDICT, tmp_path / "seven.png"], capture_output=True, text=True, check=True)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)


def test_the_debug_level_is_asked_for_by_the_environment(configure_log, capsys, monkeypatch):
    """By default the log has no debug messages."""
    for level, count in (("", 0), ("DEBUG", 1)):
        monkeypatch.setenv("DIGITS_LOG_LEVEL", level)
        configure_log()
        logger.debug("details")
        assert len(capsys.readouterr().err.splitlines()) == count
