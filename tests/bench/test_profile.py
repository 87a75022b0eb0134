"""Shares of made-up samples."""

from bench.profile import shares

SERVER = "Server.run (uvicorn/server.py:86)"


def test_a_sample_belongs_to_its_innermost_frame_that_is_known() -> None:
    lines = [
        f"{SERVER};__call__ (src/serving/predict.py:30);RowDecoder.read (src/serving/decoding.py:4) 2",
        f"{SERVER};Predict.__call__ (src/serving/predict.py:30);malloc (libc.so.6) 3",
        f"{SERVER};Observe.__call__ (src/serving/middleware.py:52);gc_collect_main (libpython3.11.so) 1",
        f"{SERVER};UVStream (uvloop/handles/stream.pyx:10);write (libc.so.6) 4",
        "Follower._run (src/serving/follower.py:40);wait (threading.py:331) 90",
    ]

    assert shares(lines) == {
        "socket: system calls, uvloop": 0.4,
        "writing the answer": 0.3,
        "validation": 0.2,
        "garbage collector": 0.1,
    }
