"""The history can be proven, line by line and bundle by bundle, and says what was in service at any time."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from src.bundle.bundle import sha256
from src.config import Settings
from src.errors import ConfigError, RegistryError
from src.promotion import folder_store, history
from src.promotion.folder_store import FolderStore
from src.promotion.history import in_service, moment_of
from src.promotion.promote import promote
from src.promotion.publish import publish
from src.promotion.rollback import rollback
from tests.conftest import REPOSITORY, run

Candidate = Callable[..., Path]
LEDGER = Path("mlruns/ledger.jsonl")
PROMOTER = """
import sys
from src.config import Settings
from src.promotion.promote import promote

for _ in range(10):
    promote(sys.argv[1], Settings(), f"as {sys.argv[1]}")
"""


@pytest.fixture
def store(candidate: Candidate, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """Versions 1, 2 and 3 published a minute apart, 3 rolled back."""
    times = iter(range(1, 100))
    monkeypatch.setattr(folder_store, "utc_now", lambda: f"2026-11-01T12:{next(times):02}:00Z")
    for version in ("1", "2", "3"):
        publish(candidate(version), Settings())
    rollback(Settings(), "slow")
    return FolderStore(Path("mlruns"))


def lines() -> list[bytes]:
    return LEDGER.read_bytes().splitlines(keepends=True)


def refused(store: FolderStore) -> str:
    with pytest.raises(RegistryError) as error:
        store.verify()
    return str(error.value)


def test_each_line_holds_the_digest_of_the_line_before_and_the_measures_of_both(store: FolderStore) -> None:
    raw = [line.strip() for line in lines()]

    read = [json.loads(line) for line in raw]

    assert [line["line_before"] for line in read] == [sha256(b""), *map(sha256, raw[:-1])]
    assert read[0]["measures"]["accuracy"] == read[1]["replaced_measures"]["accuracy"] > 0
    assert read[0]["replaced_measures"] is None


def test_a_whole_history_is_proven(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    run(history.main, "--verify")

    assert capsys.readouterr().out == (
        "model store mlruns: ledger.jsonl is whole, 4 lines of which the digests of 4 vouch for each other;"
        " of 3 bundles 3 are there, and whole\n"
    )


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_line_that_was_changed_is_named(store: FolderStore, number: int) -> None:
    changed = lines()
    changed[number - 1] = changed[number - 1].replace(b'"host":', b'"host": ')
    LEDGER.write_bytes(b"".join(changed))

    assert refused(store) == (
        f"mlruns/ledger.jsonl, line {number}: was changed, its digest is not that of its content"
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_line_that_was_changed_together_with_its_digest_is_found(store: FolderStore, number: int) -> None:
    changed = lines()
    line = json.loads(changed[number - 1])
    del line["digest"]
    content = json.dumps({**line, "user": "mallory"}, separators=(",", ":")).encode()
    changed[number - 1] = content[:-1] + b',"digest":"%s"}\n' % sha256(content).encode()
    LEDGER.write_bytes(b"".join(changed))

    assert refused(store) == (
        f"mlruns/ledger.jsonl, line {number + 1}: does not follow the line before it; one was changed or is"
        " missing"
    )


@pytest.mark.parametrize(
    ("order", "broken"), [((1, 2, 3), 1), ((0, 2, 3), 2), ((0, 2, 1, 3), 2), ((0, 1, 1, 2, 3), 3)]
)
def test_lines_that_are_missing_swapped_or_doubled_are_found(
    store: FolderStore, order: tuple[int, ...], broken: int
) -> None:
    known = lines()
    LEDGER.write_bytes(b"".join(known[number] for number in order))

    assert f"line {broken}: does not follow the line before it" in refused(store)


def test_a_cut_off_end_is_found_by_the_champion_that_it_does_not_lead_to(store: FolderStore) -> None:
    LEDGER.write_bytes(lines()[0])

    assert "and the end of ledger.jsonl does not: lines are missing, or the champion was moved" in refused(
        store
    )


def test_a_bundle_that_was_changed_is_named_with_its_line_and_exit_code_1(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    [bundle] = Path("mlruns/bundles").glob("2-*")
    (bundle / "model.onnx").write_bytes(b"damaged")
    capsys.readouterr()

    command = [sys.executable, "-m", "src.promotion.history", "--verify"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    assert ended.returncode == 1
    assert f"bundles/{bundle.name}, of line 2 of ledger.jsonl: model.onnx: SHA-256 is" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_bundle_that_is_no_longer_kept_is_no_fault(store: FolderStore) -> None:
    shutil.rmtree(*Path("mlruns/bundles").glob("1-*"))

    assert store.verify().endswith("of 3 bundles 2 are there, and whole")


def test_lines_of_earlier_versions_come_before_the_chain(store: FolderStore, candidate: Candidate) -> None:
    early = [json.loads(line) for line in lines()]
    for line in early:
        for name in ("digest", "line_before", "measures", "replaced_measures", "revokes_last"):
            del line[name]
    old = "".join(json.dumps(line) + "\n" for line in early).encode()
    LEDGER.write_bytes(old)
    assert "4 lines of which the digests of 0 vouch" in store.verify()

    publish(candidate("4"), Settings())

    assert LEDGER.read_bytes().startswith(old)  # to the byte: what vouches for them is their digest
    assert "5 lines of which the digests of 1 vouch" in store.verify()
    LEDGER.write_bytes(LEDGER.read_bytes().replace(b'"slow"', b'"fast"'))
    assert "line 5: does not follow the line before it" in refused(store)


def test_a_line_without_digests_in_the_chain_is_refused(store: FolderStore) -> None:
    known = lines()
    line = json.loads(known[2])
    del line["digest"], line["line_before"]
    known[2] = json.dumps(line).encode() + b"\n"
    LEDGER.write_bytes(b"".join(known))

    assert "line 3: was changed" in refused(store)


def test_a_step_that_was_killed_stays_in_the_ledger_and_is_revoked(
    store: FolderStore, candidate: Candidate
) -> None:
    pointer = Path("mlruns/champion.json").read_bytes()
    for version in ("4", "5"):  # killed between the ledger and the pointer, twice
        publish(candidate(version), Settings())
        Path("mlruns/champion.json").write_bytes(pointer)
        assert store.verify()
        assert [step.version for step in store.steps()] == ["1", "2", "3", "2"]

    publish(candidate("6"), Settings())

    assert [json.loads(line)["revokes_last"] for line in lines()] == [False] * 5 + [True, True]
    assert [step.version for step in store.steps()] == ["1", "2", "3", "2", "6"]
    assert "7 lines of which the digests of 7 vouch" in store.verify()
    assert rollback(Settings()).manifest.version == "2"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-01T12:00Z", "no version was in service at 2026-11-01T12:00:00Z; the first came at"),
        ("2026-11-01T12:01Z", "version 1 was in service at 2026-11-01T12:01:00Z, since 2026-11-01T12:01:00Z"),
        (
            "2026-11-01T14:02:59+02:00",
            "version 2 was in service at 2026-11-01T12:02:59Z, since 2026-11-01T12",
        ),
        ("2026-11-01T12:03:30Z", "version 3 was in service at"),
        ("2026-11-05T12:00Z", "version 2 was in service at 2026-11-05T12:00:00Z, since 2026-11-01T12:04:00Z"),
    ],
)
def test_what_was_in_service_at_a_time(store: FolderStore, at: str, said: str) -> None:
    assert in_service(store.every_step(), moment_of(at)).startswith(said)


def test_a_step_has_its_author_and_its_reason(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    run(history.main, "--at", "2026-11-02T00:00Z")

    assert capsys.readouterr().out.endswith(f"(rollback by {store.steps()[-1].author}: slow)\n")


def test_before_the_first_version_nothing_was_in_service() -> None:
    assert in_service([], moment_of("2026-11-01T12:00Z")) == (
        "no version was in service at 2026-11-01T12:00:00Z"
    )


@pytest.mark.parametrize("text", ["yesterday", "2026-11-01", "2026-11-01T12:00", "2026-13-01T12:00Z"])
def test_a_time_without_its_zone_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no time with its zone, such as 2026-11-01T12:00Z$"):
        moment_of(text)


def test_a_time_to_come_is_refused() -> None:
    with pytest.raises(ConfigError, match="is still to come$"):
        moment_of((datetime.now(UTC) + timedelta(days=1)).isoformat())


def test_two_promoters_at_once_leave_a_ledger_in_order(store: FolderStore) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    both = [
        subprocess.Popen([sys.executable, "-c", PROMOTER, version], env=environment) for version in ("1", "3")
    ]
    assert [process.wait(120) for process in both] == [0, 0]

    assert store.verify()
    read = store.ledger()
    assert [line.replaced for line in read[1:]] == [line.bundle for line in read[:-1]]
    assert {line.reason for line in read[4:]} == {"as 1", "as 3"}
    assert promote("2", Settings()).manifest.version == "2"
    assert store.ledger()[-1].replaced == read[-1].bundle
