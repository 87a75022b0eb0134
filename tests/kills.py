"""Kill a child of this process just before one of the things it does to files."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def killed_at_every_step(work: Callable[[], object]) -> Iterator[int]:
    """Run `work` again and again, each time killed one step later, and yield after each; the last one ends.

    A step is a change of a name: a folder made, a file opened to write, a rename, a removal. What the caller
    does between two rounds must bring things back to where `work` began.
    """
    step = 0
    while True:
        child = os.fork()
        if child == 0:
            _run(work, step)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        yield step
        step += 1


def _run(work: Callable[[], object], step: int) -> None:
    left = step

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if event in CHANGES or writes:
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    try:
        sys.addaudithook(watch)
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
