import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from src.config import Settings
from src.errors import RegistryError
from src.promotion import rollback as command
from src.promotion.folder_store import FolderStore
from src.promotion.promote import promote
from src.promotion.publish import publish
from src.promotion.rollback import rollback
from src.store.sources import source_for
from tests.kills import killed_at_every_step

STORE = Settings(mlflow_tracking_uri="mlruns")


def test_rollbacks_go_further_and_further_back(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [publish(candidate(version), Settings()) for version in ("1", "2", "3")]
    monkeypatch.setattr("sys.argv", ["rollback"])

    command.main()
    once = source_for(Settings()).load(), source_for(STORE).load()
    twice = rollback(Settings())

    assert once == (versions[1], versions[1])
    assert twice == source_for(Settings()).load() == source_for(STORE).load() == versions[0]
    assert [line.version for line in FolderStore(Path("mlruns")).ledger()] == ["1", "2", "3", "2", "1"]
    with pytest.raises(RegistryError, match="model store mlruns: there was no champion before this one"):
        rollback(Settings())


def test_a_rollback_after_a_promotion_returns_to_what_it_replaced(candidate: Callable[..., Path]) -> None:
    for version in ("1", "2", "3"):
        publish(candidate(version), Settings())
    promote("1", Settings())

    assert rollback(Settings()).manifest.version == "3"
    assert rollback(Settings()).manifest.version == "2"


def test_rollbacks_go_back_through_what_was_in_service(candidate: Callable[..., Path]) -> None:
    for version in ("1", "2", "3"):
        publish(candidate(version), Settings())
    promote("2", Settings())

    versions = [rollback(Settings()).manifest.version for _ in range(3)]

    assert versions == ["3", "2", "1"]
    assert in_service() == ("1", "1")
    with pytest.raises(RegistryError, match="there was no champion before this one"):
        rollback(Settings())


@pytest.mark.parametrize("system", ["in one step", "in two steps"])
def test_a_killed_rollback_is_ended_by_the_next_and_goes_no_further(
    system: str, candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    if system == "in two steps":
        monkeypatch.setattr("src.disk.folders.swapped", lambda one, other: False)
    monkeypatch.setattr("src.promotion.service._move_alias", lambda settings, manifest: None)
    for version in ("1", "2", "3"):
        publish(candidate(version), Settings())
    ends = set()

    for _ in killed_at_every_step(lambda: rollback(Settings())):
        source_for(Settings()).current()  # a server that starts puts models/ back
        ended = in_service()
        ends.add(ended)
        if ended != ("2", "2"):
            rollback(Settings())
        assert in_service() == ("2", "2")
        assert not list(Path().glob(".models*"))[1:]
        publish(candidate("3"), Settings())

    assert ends == {("3", "3"), ("2", "3"), ("2", "2")}
    assert rollback(Settings()).manifest.version == "1"


def test_a_rollback_that_ended_elsewhere_is_not_taken_for_a_killed_one(
    candidate: Callable[..., Path],
) -> None:
    for version in ("1", "2", "3"):
        publish(candidate(version), Settings())
    rollback(Settings())
    shutil.rmtree("models")  # as in a container that was just started

    assert rollback(Settings()).manifest.version == "1"


def in_service() -> tuple[str, str]:
    """Return the versions of the champion and of `models/`."""
    return source_for(STORE).load().manifest.version, source_for(Settings()).load().manifest.version


def test_a_promotion_that_never_happened_is_no_champion(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(candidate("1"), Settings())
    publish(candidate("2"), Settings())
    pointer = Path("mlruns/champion.json").read_bytes()
    publish(candidate("3"), Settings())
    Path("mlruns/champion.json").write_bytes(pointer)  # as after a crash between ledger and pointer

    assert rollback(Settings()).manifest.version == "1"


def test_a_store_without_a_champion_has_nothing_to_return_to(candidate: Callable[..., Path]) -> None:
    publish(candidate("1"), Settings())
    Path("mlruns/champion.json").write_text("damaged")

    with pytest.raises(RegistryError, match="there was no champion before this one"):
        rollback(Settings())

    publish(candidate("1"), Settings())
    assert source_for(STORE).load().manifest.version == "1"


def test_a_damaged_ledger_is_one_line(candidate: Callable[..., Path]) -> None:
    publish(candidate("1"), Settings())
    Path("mlruns/ledger.jsonl").write_text("damaged\n")

    with pytest.raises(RegistryError, match="mlruns/ledger.jsonl: not a ledger of this version"):
        rollback(Settings())
