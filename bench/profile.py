"""Where the microseconds of a request go: what py-spy saw in a server under load, drawn and listed."""

import argparse
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

# A sample belongs to the first part that claims a frame, asked from the innermost frame outwards.
PARTS = {
    "garbage collector": r"^gc_collect",
    "socket: system calls, uvloop": r"^(write|writev|read|recv|send|epoll_p?wait) \(|uvloop.*(loop|stream)",
    "ONNX Runtime": r"onnxruntime|src/runtime",
    "log line": r"serving/logs",
    "drift counters": r"monitoring/online",
    "metrics": r"prometheus_client|serving/metrics",
    "validation": r"serving/decoding|pydantic",
    "rate limit": r"serving/ratelimits|limits/",
    "key": r"serving/auth|hashlib|hmac",
    "reading the body": r"serving/body|asyncio/timeouts",
    "writing the answer": r"serving/loaded_model|serving/predict",
    "request id, headers": r"serving/http/context",
    "middleware": r"serving/middleware|starlette|fastapi",
    "HTTP: Uvicorn, httptools, asyncio": r"uvicorn|httptools|serving/http/|uvloop|asyncio",
}
LOOP = "uvicorn/server.py"  # what runs in other threads waits


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Return the share of each part, largest first, from the lines of `py-spy record --format raw`."""
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if LOOP in stack:
            counts[_part_of(stack.split(";"))] += int(count)
    return {part: count / counts.total() for part, count in counts.most_common()}


def _part_of(frames: list[str]) -> str:
    for frame in reversed(frames):
        for part, pattern in PARTS.items():
            if re.search(pattern, frame):
                return part
    raise AssertionError("the frame of the loop is Uvicorn's")


def draw(path: Path, parts: dict[str, float], microseconds: float) -> None:
    """Write a bar for each part, in microseconds of processor time."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(list(parts), [share * microseconds for share in parts.values()])
    axes.bar_label(bars, fmt="{:.1f}", padding=3)
    axes.margins(x=0.1)
    axes.invert_yaxis()
    axes.set_title(f"POST /predict: {microseconds:.0f} µs of processor time a request")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path, help="what `py-spy record --native --format raw` wrote")
    parser.add_argument("microseconds", type=float, help="processor time of a request, as `make bench` says")
    parser.add_argument("picture", type=Path, help="where the picture goes")
    arguments = parser.parse_args()
    parts = shares(arguments.samples.read_text().splitlines())
    draw(arguments.picture, parts, arguments.microseconds)
    for part, share in parts.items():
        print(f"{share:6.1%} {share * arguments.microseconds:6.1f} µs  {part}")


if __name__ == "__main__":
    main()
