"""The two bundles that are compared differ in the profile alone, and their costs pair by pair."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import drift
from bench.samples import Sample
from src.bundle import bundle
from src.bundle.bundle import Training


def sample(round: int, server: str, cost: float) -> Sample:
    return Sample(round, server, "predict", 16, 1e6 / cost, 1.0, 2.0, cost)


def test_a_bundle_without_a_profile_is_whole(
    tmp_path: Path, training: Training, metrics: dict[str, Any], make_files: Callable[..., dict[str, bytes]]
) -> None:
    files = {**make_files(), bundle.PROFILE: b'{"rows": 120}'}
    bundle.write_folder(tmp_path / "models", bundle.seal(training, metrics, files))

    drift.without_profile(tmp_path / "models", tmp_path / "bare")

    original = bundle.load(bundle.folder_fetch(tmp_path / "models"))
    bare = bundle.load(bundle.folder_fetch(tmp_path / "bare"))
    assert (original.profile, bare.profile) == ({"rows": 120}, {})
    manifest = bare.manifest.model_copy(update={"files": original.manifest.files})
    assert replace(bare, digest=original.digest, manifest=manifest, profile=original.profile) == original


def test_a_pair_costs_the_median_of_its_turns() -> None:
    turns = [
        (0, "with", 3),
        (0, "with", 1),
        (0, "with", 8),
        (0, "without", 2),
        (1, "without", 5),
        (1, "with", 6),
    ]
    samples = [sample(*turn) for turn in turns]

    assert drift.costs(samples, "with") == [3, 6]
    assert drift.costs(samples, "without") == [2, 5]
