"""What workers share when they listen together."""

import os
import socket

from src.serving.http.addresses import acceptors, open_socket


def test_a_worker_that_starts_makes_no_other_wait_in_accept() -> None:
    with open_socket("127.0.0.1", 0) as listener:
        listener.setblocking(False)  # as the worker that serves already has it
        # What a worker is handed: the same queue, in a socket that does not know of the flag.
        handed = socket.socket(fileno=os.dup(listener.fileno()))

        made = acceptors(handed)

        assert not os.get_blocking(listener.fileno())
        for each in made:
            each.close()
