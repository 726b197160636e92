"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, also where this process was told not to be.

    A shell that runs the tests in the background ignores SIGINT, and so would all its children.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
