"""Descriptors: how many files and connections this process may have open at once."""

import contextlib
import logging

WANTED = 65_536  # a visitor takes four: the connection, and three for Streamlit's session
ENOUGH = 1_024

_logger = logging.getLogger(__name__)


def raise_limit() -> int | None:
    """Raise this process's own limit on open files as far as the system allows; processes it starts inherit it.

    macOS starts programs with 256, at which a server would stop answering after some eighty visits.

    Returns:
        The limit from now on; None where there is none, as on Windows.
    """
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return soft
    allowed = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    for limit in (allowed, 10_240):  # macOS accepts no more than the latter, even where it says "unlimited"
        if soft < limit <= allowed:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                soft = limit
    if soft < ENOUGH:
        _logger.warning("only %d files may be open at once, which serves about %d visitors", soft, soft // 4)
    return soft
