"""logs: each line says when, how grave, and which run."""

import logging
import re

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
