"""Write the paths of the Ingress from the table of endpoints: `make docs`."""

import re
from pathlib import Path

from src.serving.endpoints import ENDPOINTS

INGRESS = Path(__file__).parent.parent / "k8s/ingress.yaml"
LINES = re.compile(r"(?m)^( *)(- \{path: )\S+(, pathType: Exact, .*\n)(?:\1\2.*\n)*")


def filled(text: str) -> str:
    """Return the manifest `text` with one path for each endpoint that the world may call."""
    paths = [endpoint.path for endpoint in ENDPOINTS if not endpoint.internal]
    written, places = LINES.subn(
        lambda match: "".join(f"{match[1]}{match[2]}{path}{match[3]}" for path in paths), text
    )
    assert places == 1, f"{INGRESS} has {places} lists of paths"
    return written


def main() -> None:
    INGRESS.write_text(filled(INGRESS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
