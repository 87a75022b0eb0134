import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle, Training
from src.bundle.limits import MAX_BYTES
from src.errors import BundleError
from tests.conftest import resealed

Files = dict[str, bytes]


@pytest.fixture
def files(make_files: Callable[..., Files]) -> Files:
    return make_files()


def test_a_sealed_bundle_loads(files: Files, tmp_path: Path, metrics: dict[str, Any]) -> None:
    bundles.write_folder(tmp_path / "models", files)

    bundle = bundles.load(bundles.folder_fetch(tmp_path / "models"))

    assert bundle.model == b"not a model"
    assert bundle.metrics == metrics
    assert bundle.manifest.measures == metrics
    assert bundle.digest == bundles.sha256(files["metadata.json"])


def test_the_manifest_has_the_names_people_rely_on(files: Files) -> None:
    manifest = json.loads(files["metadata.json"])

    assert set(manifest) >= {
        "model_type", "n_features", "n_samples", "feature_names", "target_names", "mlflow_run_id", "version",
        "data_digest", "git_commit", "task", "measures", "primary_measure",
    }  # fmt: skip
    assert set(manifest["files"]) == set(files) - {"metadata.json"}


def test_a_moved_bundle_loads(files: Files, tmp_path: Path) -> None:
    bundles.write_folder(tmp_path / "models", files)
    (tmp_path / "models").rename(tmp_path / "elsewhere")

    assert bundles.load(bundles.folder_fetch(tmp_path / "elsewhere")).manifest.version == "7"


@pytest.mark.parametrize("name", bundles.FILES)
def test_a_changed_file_is_refused(files: Files, name: str) -> None:
    files[name] = files[name].replace(b"a", b"b", 1) + b" "

    with pytest.raises(BundleError, match=f"^{name}: SHA-256 is [0-9a-f]{{64}}, metadata.json says"):
        bundles.load(files.__getitem__)


def test_another_manifest_than_the_pointer_names_is_refused(files: Files) -> None:
    with pytest.raises(BundleError, match="^metadata.json: SHA-256 is [0-9a-f]{64}, expected 0000$"):
        bundles.load(files.__getitem__, expected_digest="0000")


def change_manifest(files: Files, changes: dict[str, Any]) -> Files:
    manifest = json.loads(files["metadata.json"]) | changes
    return {**files, "metadata.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 3}, "metadata.json: format: Input should be 2"),
        ({"colour": "red"}, "metadata.json: colour: unknown key"),
        ({"version": 7}, "metadata.json: version: Input should be a valid string"),
        ({"files": {"../../passwd": "0"}}, None),
        ({"files": {}}, "metadata.json: names , expected"),
        ({"feature_names": ["x"]}, "schema.json: columns or classes are not those of metadata.json"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused(files: Files, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError) as error:
        bundles.load(change_manifest(files, changes).__getitem__)

    assert "\n" not in str(error.value)
    assert str(error.value).startswith(message or "metadata.json: files.")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("name", ["metadata.json", "metrics.json", "schema.json"])
def test_a_file_that_is_not_its_json_is_refused(files: Files, name: str, content: bytes) -> None:
    files = {**files, name: content}
    if name != "metadata.json":
        digests = json.loads(files["metadata.json"])["files"] | {name: bundles.sha256(content)}
        files = change_manifest(files, {"files": digests})

    with pytest.raises(BundleError, match=f"^{name}: "):
        bundles.load(files.__getitem__)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="metadata.json: No such file or directory"):
        bundles.load(bundles.folder_fetch(tmp_path))


@pytest.mark.parametrize("name", ["metadata.json", *bundles.FILES])
def test_a_huge_file_is_refused_unread(name: str, files: Files, tmp_path: Path) -> None:
    bundles.write_folder(tmp_path / "models", files)
    with (tmp_path / "models" / name).open("r+b") as file:
        file.truncate(MAX_BYTES[name] + 1)

    with pytest.raises(BundleError, match=f"{name}: larger than {MAX_BYTES[name]} bytes$"):
        bundles.folder_fetch(tmp_path / "models")(name)


@pytest.mark.parametrize("name", [name for name in bundles.FILES if name != bundles.MODEL])
def test_a_file_beyond_its_size_is_refused_from_any_source(name: str, files: Files) -> None:
    changed = resealed(files, {name: files[name] + b" " * MAX_BYTES[name]})

    with pytest.raises(BundleError, match=f"^{name}: larger than {MAX_BYTES[name]} bytes$"):
        bundles.load(changed.__getitem__)


def test_writing_replaces_the_whole_folder(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    bundles.write_folder(folder, {"old": b"1"})

    bundles.write_folder(folder, {"new": b"2"})

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"new": b"2"}
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    bundles.write_folder(folder, {"old": b"1"})
    rename = Path.rename

    def fail_for_the_new_folder(path: Path, target: Path) -> Path:
        if path.name.endswith(".new"):
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_folder)
    monkeypatch.setattr("src.disk.folders.swapped", lambda one, other: False)  # as where the system cannot

    with pytest.raises(OSError, match="disk full"):
        bundles.write_folder(folder, {"new": b"2"})

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"old": b"1"}
    assert list(tmp_path.iterdir()) == [folder]


def test_equal_content_is_equal_bytes() -> None:
    assert bundles.dump_json({"b": 0.1, "a": "é"}) == '{\n  "a": "é",\n  "b": 0.1\n}\n'.encode()


def test_a_number_json_does_not_know_is_never_written() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        bundles.dump_json({"a": float("nan")})


def test_bundles_are_told_apart_by_their_digest(make_bundle: Callable[..., Bundle]) -> None:
    assert make_bundle(version="7").digest == make_bundle(version="7").digest
    assert make_bundle(version="7").digest != make_bundle(version="8").digest


def test_a_card_is_part_of_the_bundle_and_may_be_absent(
    make_files: Callable[..., dict[str, bytes]], training: Training, metrics: dict[str, Any]
) -> None:
    files = make_files()
    cards = {"card.md": b"# Card", "card.html": b"<h1>Card</h1>"}
    with_cards = bundles.seal(training, metrics, {**files, **cards})

    assert bundles.load(files.__getitem__).card_page is None
    assert bundles.load(with_cards.__getitem__).card_page == b"<h1>Card</h1>"
    assert bundles.files_of(with_cards[bundles.MANIFEST]) == [
        bundles.MANIFEST,
        *sorted([*bundles.FILES, *cards]),
    ]
    with pytest.raises(BundleError, match="card.html: SHA-256 is"):
        bundles.load({**with_cards, "card.html": b"<h1>Changed</h1>"}.__getitem__)
