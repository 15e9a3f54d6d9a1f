"""Start-up: what the server's process does before it serves anybody."""

from digits import descriptors, logs, memory


def prepare() -> None:
    """Configure the log, raise the limit on open files, and keep freed memory from piling up."""
    logs.configure()
    descriptors.raise_limit()
    memory.trim_regularly()
