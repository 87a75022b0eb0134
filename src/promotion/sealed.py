"""A bundle together with the bytes it was read from: what was verified is what is published."""

from collections.abc import Mapping
from typing import NamedTuple

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle, Fetch
from src.monitoring.profile import profile_of
from src.runtime import session


class Sealed(NamedTuple):
    """A verified bundle, and the bytes of its files by name."""

    bundle: Bundle
    files: Mapping[str, bytes]


def read_sealed(fetch: Fetch, expected_digest: str | None = None) -> Sealed:
    """Return the bundle behind `fetch`, every byte of it checked and its self-test passed.

    Raises:
        BundleError: it must not be served.
    """
    manifest = fetch(bundles.MANIFEST)
    others = [name for name in bundles.files_of(manifest) if name != bundles.MANIFEST]
    files = {bundles.MANIFEST: manifest, **{name: fetch(name) for name in others}}
    with bundles.loading("the bundle"):
        bundle = bundles.load(files.__getitem__, expected_digest)
        profile_of(bundle)
        session.load(bundle)
    return Sealed(bundle, files)
