"""The history of champions is a stack, whatever the order of commands and wherever one was killed."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from src.bundle.bundle import Bundle
from src.errors import RegistryError
from src.promotion.folder_store import FolderStore
from src.promotion.step import Author
from src.store.history import Action, Stack, after, settled
from src.store.ledger import LEDGER, Promotion, completed, read_ledger, stack_of
from src.store.pointer import POINTER

LONGEST = 6
NOBODY = Author(None, None, None)
Step = tuple[Action, int]  # the action, and the version it names


def steps(published: int, stack: list[int]) -> Iterator[tuple[Step, list[int]]]:
    """Yield every command that can be given, and the stack it must leave."""
    yield ("publish", published + 1), [*stack, published + 1]
    for version in range(1, published + 1):
        yield ("promote", version), stack if version == stack[-1] else [*stack, version]
    if len(stack) > 1:
        yield ("rollback", stack[-2]), stack[:-1]


def test_every_order_of_commands_makes_the_stack_of_what_was_in_service() -> None:
    seen = 0

    def go_on(published: int, expected: list[int], stack: Stack, length: int) -> None:
        nonlocal seen
        for (action, version), expected_then in steps(published, expected):
            then = after(stack, action, str(version))
            assert then == tuple(map(str, expected_then))
            assert settled(stack, then, then[-1]) == then
            assert not stack or settled(stack, then, stack[-1]) == stack  # as when it was never completed
            seen += 1
            if length < LONGEST:
                go_on(max(published, version), expected_then, then, length + 1)

    go_on(0, [], (), 1)

    assert seen == 557


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # thousands of files that nobody needs
    return FolderStore(folder)


def test_every_order_of_commands_is_rolled_back_from_the_store(
    store: FolderStore, folder: Path, make_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {number: make_bundle(version=str(number)) for number in range(1, LONGEST + 1)}
    monkeypatch.setattr(store, "_read", lambda path: path)
    files = [folder / LEDGER, folder / POINTER]
    seen = 0

    def before_champion() -> str | None:
        try:
            return str(store.before_champion()).partition("/")[2].partition("-")[0]
        except RegistryError:
            return None

    def go_on(published: int, stack: list[int], length: int, changes: int) -> None:
        nonlocal seen
        state = [file.read_bytes() if file.exists() else b"" for file in files]
        for (action, version), then in steps(published, stack):
            expected = str(then[-2]) if len(then) > 1 else None
            store.move(versions[version], action, NOBODY)
            assert before_champion() == expected
            # Killed between the ledger and the pointer, the step never happened; repeated, it does once.
            if stack:
                files[1].write_bytes(state[1])
                assert before_champion() == (str(stack[-2]) if len(stack) > 1 else None)
                store.move(versions[version], action, NOBODY)
                assert before_champion() == expected
            assert len(completed(read_ledger(folder))) == changes + (then != stack)
            seen += 1
            if length < LONGEST:
                go_on(max(published, version), then, length + 1, changes + (then != stack))
            for file, content in zip(files, state, strict=True):
                file.write_bytes(content) if content else file.unlink()

    go_on(0, [], 1, 0)

    assert seen == 557


def test_a_line_of_the_ledger_says_what_was_done(
    store: FolderStore, folder: Path, make_bundle: Callable[..., Bundle]
) -> None:
    one, two = make_bundle(version="1"), make_bundle(version="2")

    for bundle, action in ((one, "publish"), (two, "publish"), (one, "promote"), (two, "rollback")):
        store.move(bundle, action, NOBODY)

    lines = [json.loads(line) for line in (folder / LEDGER).read_text().splitlines()]
    assert [(line["action"], line["version"]) for line in lines] == [
        ("publish", "1"),
        ("publish", "2"),
        ("promote", "1"),
        ("rollback", "2"),
    ]


# As the ledger was written before it said what was done: the version, and the one it says it followed.
EARLY = {
    "three published": ("1- 2-1 3-2", "1 2 3"),
    "rolled back twice": ("1- 2-1 3-2 2-1 1-", "1"),
    "rolled back, and published": ("1- 2-1 3-2 2-1 4-2", "1 2 4"),
    "promoted": ("1- 2-1 3-2 1-3", "1 2 3 1"),
    "promoted, and rolled back": ("1- 2-1 3-2 1-3 3-2", "1 2 3"),
    "promoted, and rolled back in a circle": ("1- 2-1 3-2 2-3 3-2 2-3 3-2", "1 2 3"),
    "a promotion that never happened": ("1- 2-1 3-2 4-2", "1 2 4"),
    "a damaged pointer, mended": ("1- 2-", "1 2"),
}


@pytest.mark.parametrize(("lines", "stack"), EARLY.values(), ids=EARLY)
def test_an_early_ledger_has_a_sensible_stack(lines: str, stack: str, folder: Path) -> None:
    with (folder / LEDGER).open("w") as ledger:
        for number, line in enumerate(lines.split()):
            version, _, followed = line.partition("-")
            names = [f"bundles/{name}-{name * 12}" if name else None for name in (version, followed)]
            values = {"time": f"2026-01-02T03:04:0{number}Z", "version": version, "bundle": names[0]}
            values |= {"manifest_sha256": version * 64, "previous": names[1]}
            ledger.write(json.dumps(values) + "\n")

    found = stack_of(read_ledger(folder))

    assert [name.partition("/")[2][0] for name in found] == stack.split()


def test_a_champion_that_others_put_there_is_rolled_back_from(
    store: FolderStore, folder: Path, make_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_read", lambda path: path)
    one, two, copied, four = (make_bundle(version=version) for version in "1234")
    store.move(one, "publish", NOBODY)
    store.move(two, "publish", NOBODY)
    ledger = (folder / LEDGER).read_bytes()
    store.move(copied, "publish", NOBODY)
    (folder / LEDGER).write_bytes(ledger)  # as when a pointer was copied here

    before = store.before_champion()
    store.move(four, "publish", NOBODY)

    assert str(before).startswith("bundles/2-")
    assert str(store.before_champion()).startswith("bundles/3-")
    store.move(copied, "rollback", NOBODY)
    assert str(store.before_champion()).startswith("bundles/2-")


def test_an_unknown_action_is_a_damaged_ledger(folder: Path) -> None:
    line = Promotion(time="", version="1", bundle="bundles/1", manifest_sha256="0" * 64, previous=None)
    (folder / LEDGER).write_text(line.model_dump_json().replace("null", '"delete"', 1) + "\n")

    with pytest.raises(RegistryError, match="ledger.jsonl: not a ledger of this version"):
        read_ledger(folder)
