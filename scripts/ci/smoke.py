"""Ask a deployed API for its health and a prediction: `python3 -m scripts.ci.smoke URL [--model DIGEST]`.

The key is API_KEY, when there is one. With --model, wait until that bundle is the one in service.
"""

import argparse
import json
import os
import sys
import time

from scripts.k8s.ask import ask, expect


def wait_for_model(url: str, digest: str, key: str | None, seconds: float) -> None:
    """Return when the API says that it serves the bundle `digest`; exit when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        status, answer = ask(f"{url}/model/info", key=key)
        served = json.loads(answer)["digest"] if status == 200 else f"status {status}"
        if served == digest:
            print(f"model: {digest}")
            return
        if time.monotonic() > deadline:
            sys.exit(f"error: {url} serves {served}, not {digest}")
        time.sleep(5)  # /model/info may be asked 20 times a minute


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m scripts.ci.smoke", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--model", metavar="DIGEST", help="SHA-256 of the manifest of the bundle")
    parser.add_argument("--seconds", type=float, default=180, help="to wait for it, default: %(default)s")
    options = parser.parse_args()
    url = options.url.rstrip("/")
    key = os.environ.get("API_KEY", "").split(",")[0].strip() or None

    if options.model:
        wait_for_model(url, options.model, key, options.seconds)
    health = json.loads(expect(200, f"{url}/health"))
    print(f"health: {health['status']}, model version {health['model_version']}")
    # What is asked is the example the served model brings.
    described = json.loads(expect(200, f"{url}/openapi.json"))
    row = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    if key:
        expect(401, f"{url}/predict", row)
    prediction = json.loads(expect(200, f"{url}/predict", row, key))
    print(f"predict: {prediction['prediction']}, confidence {prediction['confidence']}")


if __name__ == "__main__":
    main()
