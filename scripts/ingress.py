"""Write the paths of the Ingress from the table of endpoints: `make docs`."""

import re
from pathlib import Path

from src.serving.endpoints import ENDPOINTS

INGRESS = Path(__file__).parent.parent / "k8s/ingress.yaml"
LINES = re.compile(r"(?m)^( *- \{path: )\S+(, pathType: )\w+(, .*\n)(?:\1.*\n)*")


def allowed() -> dict[str, str]:
    """Return the paths that the world may call, each with its type; one with parameters up to the first."""
    paths = [endpoint.path for endpoint in ENDPOINTS if not endpoint.internal]
    return {path.partition("/{")[0]: "Prefix" if "{" in path else "Exact" for path in paths}


def filled(text: str) -> str:
    """Return the manifest `text` with one path for each endpoint that the world may call."""
    paths = allowed()
    written, places = LINES.subn(
        lambda match: "".join(f"{match[1]}{path}{match[2]}{kind}{match[3]}" for path, kind in paths.items()),
        text,
    )
    assert places == 1, f"{INGRESS} has {places} lists of paths"
    return written


def main() -> None:
    INGRESS.write_text(filled(INGRESS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
