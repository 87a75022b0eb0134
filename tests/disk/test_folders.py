"""A folder is whole or as before: whoever writes it, however many do, and whenever they are killed."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from src.disk import files, folders
from src.disk.folders import recover_folder, write_folder
from src.disk.lock import folder_locked
from src.disk.swap import swapped
from tests.conftest import REPOSITORY
from tests.kills import killed_at_every_step

OLD = {name: b"old" * 1000 for name in "abc"}
NEW = {name: b"new" * 1000 for name in "abc"}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def is_whole(folder: Path) -> bool:
    return content(folder) in (OLD, NEW)


@pytest.fixture(params=["in one step", "in two steps"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A system that can exchange two folders, and one that cannot."""
    if request.param == "in two steps":
        monkeypatch.setattr(folders, "swapped", lambda one, other: False)
    return str(request.param)


def test_two_folders_are_exchanged(tmp_path: Path) -> None:
    write_folder(tmp_path / "a", OLD)
    write_folder(tmp_path / "b", NEW)

    assert swapped(tmp_path / "a", tmp_path / "b")

    assert (content(tmp_path / "a"), content(tmp_path / "b")) == (NEW, OLD)
    assert not swapped(tmp_path / "a", tmp_path / "none")


def test_a_system_without_the_call_exchanges_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from src.disk import swap

    write_folder(tmp_path / "a", OLD)
    write_folder(tmp_path / "b", NEW)
    swap._rename.cache_clear()
    monkeypatch.setattr(sys, "platform", "sunos")
    try:
        assert not swapped(tmp_path / "a", tmp_path / "b")
    finally:
        swap._rename.cache_clear()
    assert content(tmp_path / "a") == OLD


def test_a_killed_writer_leaves_a_whole_folder(system: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_folder(folder, OLD)
    missing = []

    for step in killed_at_every_step(lambda: write_folder(folder, NEW)):
        if not folder.exists():
            missing.append(step)
            assert recover_folder(folder, is_whole)
        assert is_whole(folder)
        write_folder(folder, OLD)
        assert list(tmp_path.iterdir()) == [folder]

    assert len(missing) == (0 if system == "in one step" else 1)
    assert content(folder) == NEW


def test_a_writer_killed_at_any_time_leaves_a_whole_folder(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_folder(folder, OLD)
    code = (
        "import sys; from pathlib import Path; from src.disk.folders import write_folder\n"
        "print('begun', flush=True)\n"
        "while True:\n"
        "    for text in (b'old', b'new'):\n"
        f"        write_folder(Path({str(folder)!r}), {{name: text * 1000 for name in 'abc'}})\n"
    )
    for delay in range(15):
        writer = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE)
        try:
            assert writer.stdout is not None and writer.stdout.readline() == b"begun\n"
            time.sleep(0.001 * delay)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
        assert is_whole(folder)


def test_what_was_put_aside_is_not_lost_when_the_next_write_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    write_folder(tmp_path / ".models.old", OLD)

    def fail(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, "write_synced", fail)
    with pytest.raises(OSError, match="No space left"):
        write_folder(folder, NEW)

    assert content(folder) == OLD
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([".models.old"], OLD),
        ([".models.0123456789abcdef.old", ".models.0123456789abcdef.new"], OLD),
        ([".models.new"], NEW),
        ([".models.0123456789abcdef.new"], NEW),
    ],
)
def test_what_a_killed_writer_left_is_put_back(
    names: list[str], expected: dict[str, bytes], tmp_path: Path
) -> None:
    for name in names:
        write_folder(tmp_path / name, OLD if name.endswith(".old") else NEW)

    assert recover_folder(tmp_path / "models", is_whole)

    assert content(tmp_path / "models") == expected


@pytest.mark.parametrize("name", [".models.blue.old", ".models.blue.0123456789abcdef.old", "models.old"])
def test_what_another_folder_left_is_not_put_back(name: str, tmp_path: Path) -> None:
    write_folder(tmp_path / name, OLD)

    assert not recover_folder(tmp_path / "models", is_whole)


def test_what_is_not_whole_is_not_put_back(tmp_path: Path) -> None:
    write_folder(tmp_path / ".models.new", {"a": b"half"})

    assert not recover_folder(tmp_path / "models", is_whole)
    assert not recover_folder(tmp_path / "nowhere" / "models", is_whole)

    assert not (tmp_path / "models").exists()


def test_nothing_is_taken_from_a_writer_that_lives(tmp_path: Path) -> None:
    write_folder(tmp_path / ".models.new", NEW)
    code = (
        "import sys; from pathlib import Path; from src.disk.lock import folder_locked\n"
        f"with folder_locked(Path({str(tmp_path)!r})): print('held', flush=True); sys.stdin.read()"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"held\n"
        while_it_lives = recover_folder(tmp_path / "models", is_whole)
    finally:
        writer.kill()
        writer.communicate()

    assert not while_it_lives
    assert recover_folder(tmp_path / "models", is_whole)


def in_processes(code: str, processes: int) -> list[str]:
    """Run `code` at once in `processes`, and return what each said on stderr."""
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    try:
        return [process.communicate()[1] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.parametrize("patch", ["", "folders.swapped = lambda one, other: False"])
def test_writers_at_once_wait_for_each_other(patch: str, tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from src.disk import files, folders\n"
        f"{patch}\n"
        "for number in range(25):\n"
        "    text = f'{os.getpid()} {number}'.encode()\n"
        f"    folders.write_folder(Path({str(tmp_path / 'model')!r}), {{name: text for name in 'abcd'}})\n"
        f"    files.write_file(Path({str(tmp_path / 'file')!r}), text * 1000)\n"
    )

    said = in_processes(code, 6)

    assert said == [""] * 6
    assert len(set(content(tmp_path / "model").values())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "model"]


def test_without_locks_writers_at_once_leave_one_whole_folder(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from src.disk import files, lock\n"
        "lock._lock_folder = lambda handle, folder, wait: False\n"
        "for number in range(25):\n"
        f"    files.write_file(Path({str(tmp_path / 'file')!r}), f'{{os.getpid()}}'.encode() * 1000)\n"
    )

    assert in_processes(code, 4) == [""] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_disk_has_the_files_and_then_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name.split(".")[-1])
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_folder(tmp_path / "models", {"x": b"1"})
    files.write_file(tmp_path / "pointer", b"1")

    assert synced == ["x", "new", tmp_path.name, "new", tmp_path.name]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    write_folder(tmp_path / "real", OLD)
    (tmp_path / "link").symlink_to("real")

    write_folder(tmp_path / "link", NEW)

    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_a_file_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("mine")

    with pytest.raises(NotADirectoryError):
        write_folder(tmp_path / "models", NEW)

    assert (tmp_path / "models").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize("name", ["models", "my models"])
def test_a_mount_point_is_refused_before_anything_changes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / name
    write_folder(place, OLD)
    line = f"36 35 98:0 /x {str(place).replace(' ', chr(92) + '040')} rw - ext4 /dev/sda rw\n"
    read_text = Path.read_text
    mounts: Callable[..., str] = lambda path, **options: (
        line if str(path) == "/proc/self/mountinfo" else read_text(path, **options)
    )

    with (
        monkeypatch.context() as patch,
        pytest.raises(OSError, match="is a mount point, which cannot be") as no,
    ):
        patch.setattr(Path, "read_text", mounts)
        write_folder(place, NEW)

    assert (no.value.errno, no.value.filename) == (errno.EBUSY, str(place))
    assert content(place) == OLD
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_thread_may_hold_a_folder_twice_and_no_folder_is_not_held(tmp_path: Path) -> None:
    with folder_locked(tmp_path) as once, folder_locked(tmp_path, wait=False) as twice:
        pass
    with folder_locked(tmp_path / "none") as none:
        pass

    assert (once, twice, none) == (True, True, False)
