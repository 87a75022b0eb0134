"""Reading a file of a folder that others may write to: none of them makes us wait, or leads elsewhere."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from src.bundle import bundle as bundles
from src.config import Settings
from src.disk.reading import read_within
from src.errors import BundleError
from src.store.pointer import POINTER
from src.store.sources import source_for
from tests.conftest import REPOSITORY

Put = Callable[[Path], object]
MakeFiles = Callable[..., dict[str, bytes]]


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(path.parent)  # an address is short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


STRANGE: dict[str, tuple[Put, str]] = {
    "a pipe": (os.mkfifo, "not a file"),
    "a folder": (Path.mkdir, "not a file"),
    "a socket": (bind, "not a file"),
    "an endless device": (lambda path: path.symlink_to("/dev/zero"), "leads out of"),
    "a link out": (lambda path: path.symlink_to("/etc/hostname"), "leads out of"),
    "a link up": (lambda path: path.symlink_to(f"../../outside/{path.name}"), "leads out of"),
    "a link to the folder": (lambda path: path.symlink_to("."), "not a file"),
    "a pipe behind a link": (
        lambda path: (os.mkfifo(path.parent / "pipe"), path.symlink_to("pipe")),
        "not a file",
    ),
}


@pytest.mark.parametrize("in_store", [False, True], ids=["MODEL_DIR", "store"])
@pytest.mark.parametrize("name", [bundles.MANIFEST, *bundles.FILES])
@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.timeout(60)
def test_what_is_no_file_of_the_folder_is_refused(
    what: str, name: str, in_store: bool, make_files: MakeFiles, tmp_path: Path
) -> None:
    files = make_files()
    folder = tmp_path / "store" / "7" if in_store else tmp_path / "models"
    bundles.write_folder(folder, files)
    bundles.write_folder(tmp_path / "outside", files)  # what a link leads to is a good bundle
    if in_store:
        pointer = {"bundle": "7", "manifest_sha256": bundles.sha256(files[bundles.MANIFEST])}
        (folder.parent / POINTER).write_bytes(bundles.dump_json(pointer))
        source = source_for(Settings(mlflow_tracking_uri=str(folder.parent)))
    else:
        source = source_for(Settings(model_dir=folder))
    (folder / name).unlink()
    put, why = STRANGE[what]
    put(folder / name)

    with pytest.raises(BundleError, match=f"{name}: {why}"):
        source.load()
    with pytest.raises(BundleError, match=f"{name}: {why}"):
        for one in (bundles.MANIFEST, *bundles.FILES):  # as `publish FOLDER` does
            bundles.folder_fetch(folder)(one)


@pytest.mark.timeout(60)
def test_the_pointer_of_a_store_is_a_file_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / POINTER)

    with pytest.raises(BundleError, match="champion.json: not a file"):
        source_for(Settings(mlflow_tracking_uri=str(tmp_path))).current()


@pytest.mark.skipif(os.geteuid() != 0, reason="making a device needs root")
def test_a_device_in_the_folder_is_not_opened(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "zero", 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this container may make no devices")

    with pytest.raises(BundleError, match="zero: not a file"):
        read_within(tmp_path, "zero", 100)


def test_the_links_of_a_volume_are_followed(make_files: MakeFiles, tmp_path: Path) -> None:
    """Kubernetes mounts a ConfigMap, and git-sync a checkout, as links to links within the mount."""
    files = make_files()
    mount = tmp_path / "mount"
    bundles.write_folder(mount / "..2026_01_02", files)
    (mount / "..data").symlink_to("..2026_01_02")
    for name in files:
        (mount / name).symlink_to(f"..data/{name}")
    (tmp_path / "models").symlink_to("mount")

    for folder in (mount, tmp_path / "models", mount / "..data"):
        assert source_for(Settings(model_dir=folder)).load().manifest.version == "7"


def test_a_link_that_moved_after_it_was_resolved_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening, somebody puts a link where the folder was."""
    root, secret = tmp_path / "root", tmp_path / "secret"
    for folder in (root / "folder", secret):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(folder.name.encode())
    real = os.path.realpath

    def resolve(path: object, **options: bool) -> str:
        found = real(path, **options)  # type: ignore[call-overload]
        if found.endswith("/file"):
            (root / "folder").rename(root / "before")
            (root / "folder").symlink_to(secret)
        return str(found)

    monkeypatch.setattr(os.path, "realpath", resolve)

    with pytest.raises(OSError, match="Not a directory|Too many levels"):
        read_within(root, "folder/file", 100)


def test_a_device_without_end_costs_no_memory(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").symlink_to("/dev/zero")
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from src.errors import BundleError\n"
        "from src.store.sources import FolderSource\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    FolderSource(Path(sys.argv[1])).current()\n"
        "except BundleError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stderr == ""
    assert int(done.stdout) < 20_000  # KiB


def test_a_file_that_is_endless_in_fact_is_read_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 11)

    assert read_within(tmp_path, "long", 11) == b"x" * 11
    with pytest.raises(BundleError, match="long: larger than 10 bytes"):
        read_within(tmp_path, "long", 10)
    assert read_within(tmp_path, "gone", 10) is None
    assert read_within(tmp_path / "gone", "long", 10) is None
