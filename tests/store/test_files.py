import os
from pathlib import Path

import pytest

from src.errors import BundleError, RegistryError
from src.store.files import FolderFiles, fetch_from


def test_a_file_is_read_and_a_missing_one_is_none(folder: Path) -> None:
    (folder / "here").write_bytes(b"content")

    assert FolderFiles(folder).read("here", 7) == b"content"
    assert FolderFiles(folder).read("gone", 7) is None
    assert FolderFiles(folder / "gone").read("here", 7) is None


def test_a_file_larger_than_the_limit_is_refused(folder: Path) -> None:
    (folder / "here").write_bytes(b"content")

    with pytest.raises(BundleError, match="larger than 6 bytes"):
        FolderFiles(folder).read("here", 6)


def test_a_link_inside_the_folder_is_followed_and_one_that_leads_out_is_refused(folder: Path) -> None:
    store = folder / "store"
    store.mkdir()
    (folder / "secret").write_bytes(b"secret")
    (store / "here").write_bytes(b"content")
    (store / "inside").symlink_to("here")
    (store / "outside").symlink_to("../secret")

    assert FolderFiles(store).read("inside", 10) == b"content"
    with pytest.raises(BundleError, match="leads out of"):
        FolderFiles(store).read("outside", 10)


def test_what_is_not_a_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")

    with pytest.raises(BundleError, match="not a file"):
        FolderFiles(folder).read("pipe", 10)
    assert FolderFiles(folder).read("loop", 10) is None


def test_what_the_system_cannot_read_is_an_error_of_the_place(folder: Path) -> None:
    with pytest.raises(RegistryError, match="File name too long"):
        FolderFiles(folder).read("x" * 300, 10)


def test_a_bundle_lacks_a_file(folder: Path) -> None:
    with pytest.raises(BundleError, match="no bundles/7/model.onnx"):
        fetch_from(FolderFiles(folder), "bundles/7")("model.onnx")
