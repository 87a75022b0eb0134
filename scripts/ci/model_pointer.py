"""The pointer file, deploy/model.json: which bundle of the model store is to be in service.

It has the form of the store's champion.json, and deploying it is copying it there.

  python -m scripts.ci.model_pointer gate             fail unless build/bundle is whole and passed the gate
  python -m scripts.ci.model_pointer write STORE      point to build/bundle, unless STORE's model is the same
  python -m scripts.ci.model_pointer verify STORE     fail unless STORE has the bundle pointed to, whole
"""

import argparse
from pathlib import Path

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.errors import GateError, RegistryError, exit_on_error
from src.promotion.folder_store import pointer_to
from src.promotion.sealed import read_sealed
from src.runtime import session
from src.store.bucket import BucketFiles
from src.store.files import Files, FolderFiles
from src.store.pointer import Pointer, load_bundle

POINTER = Path("deploy/model.json")


def pointer() -> Pointer | None:
    """Return what deploy/model.json says; None when there is none; BundleError when it is malformed."""
    return bundles.parse(Pointer, str(POINTER), POINTER.read_bytes()) if POINTER.exists() else None


def store_files(uri: str) -> Files:
    return BucketFiles(uri) if uri.startswith("gs://") else FolderFiles(Path(uri))


def gate() -> Bundle:
    """Return the bundle that was built; raises GateError when it missed the gate, BundleError when broken."""
    bundle = read_sealed(bundles.folder_fetch(paths.BUNDLE)).bundle
    if missed := bundle.metrics.get("gate", {}).get("missed"):
        raise GateError(f"not to be proposed: {'; '.join(missed)}")
    return bundle


def write(uri: str) -> None:
    """Point to the bundle that was built, unless its graph is that of the bundle pointed to now."""
    bundle, before = gate(), pointer()
    if before is not None:
        if load_bundle(store_files(uri), before).model == bundle.model:
            print(f"{POINTER}: the model is the one it points to")
            return
    after = pointer_to(bundle)
    POINTER.parent.mkdir(exist_ok=True)
    POINTER.write_bytes(bundles.dump_json(after.model_dump()))
    print(f"{POINTER}: {after.bundle}")


def verify(uri: str) -> None:
    """Load the bundle pointed to as the server would, self-test included."""
    wanted = pointer()
    if wanted is None:
        raise RegistryError(f"there is no {POINTER}")
    bundle = load_bundle(store_files(uri), wanted)
    session.load(bundle)
    print(f"{uri}: {wanted.bundle} is whole and answers as it did, {_measured(bundle)}")


def _measured(bundle: Bundle) -> str:
    name = bundle.manifest.primary_measure
    return f"{name} {bundle.manifest.measures[name]:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.ci.model_pointer", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("gate")
    for name in ("write", "verify"):
        commands.add_parser(name).add_argument("store", help="a folder or gs://bucket/prefix")
    options = parser.parse_args()
    match options.command:
        case "gate":
            bundle = gate()
            print(f"{bundle.manifest.name}: passed the gate, {_measured(bundle)}")
        case "write":
            write(options.store)
        case "verify":
            verify(options.store)


if __name__ == "__main__":
    exit_on_error(main)
