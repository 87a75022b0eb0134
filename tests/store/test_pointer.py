from pathlib import Path

import pytest

from src.bundle.bundle import dump_json
from src.errors import BundleError
from src.store.files import FolderFiles
from src.store.pointer import MAX_POINTER_BYTES, POINTER, Pointer, read_pointer

DIGEST = "a" * 64


def test_a_store_without_a_pointer_has_no_champion(folder: Path) -> None:
    assert read_pointer(FolderFiles(folder)) is None


def test_the_pointer_is_read(folder: Path) -> None:
    (folder / POINTER).write_bytes(dump_json({"bundle": "bundles/7-abc", "manifest_sha256": DIGEST}))

    assert read_pointer(FolderFiles(folder)) == Pointer(bundle="bundles/7-abc", manifest_sha256=DIGEST)


@pytest.mark.parametrize(
    "bundle",
    [
        "../x",
        "bundles/../../x",
        "/etc",
        "bundles//x",
        ".",
        "",
        "bundles/.hidden",
        "a\\b",
        "a\x00b",
        "a/",
        "a\n",
    ],
)
def test_a_pointer_out_of_the_store_is_refused(bundle: str, folder: Path) -> None:
    (folder / POINTER).write_bytes(dump_json({"bundle": bundle, "manifest_sha256": DIGEST}))

    with pytest.raises(BundleError, match="champion.json: bundle: String should match pattern"):
        read_pointer(FolderFiles(folder))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[" * 10_000,
        b"\xff\xfe",
        b"[]",
        b"{}",
        dump_json({"bundle": "b", "manifest_sha256": "A" * 64}),
        dump_json({"bundle": "b", "manifest_sha256": DIGEST, "more": 1}),
        dump_json({"bundle": 7, "manifest_sha256": DIGEST}),
        dump_json({"bundle": "b" * 513, "manifest_sha256": DIGEST}),
    ],
)
def test_a_malformed_pointer_is_refused_in_one_line(content: bytes, folder: Path) -> None:
    (folder / POINTER).write_bytes(content)

    with pytest.raises(BundleError, match="champion.json: ") as refused:
        read_pointer(FolderFiles(folder))

    assert "\n" not in str(refused.value)


def test_a_huge_pointer_is_refused(folder: Path) -> None:
    (folder / POINTER).write_bytes(b" " * (MAX_POINTER_BYTES + 1))

    with pytest.raises(BundleError, match="larger than 65536 bytes"):
        read_pointer(FolderFiles(folder))
