"""Ask a running API for its health, a prediction and its metrics: `ask.py URL`, keys in base64 on stdin."""

import base64
import json
import sys
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen


def ask(url: str, body: dict[str, Any] | None = None, key: str | None = None) -> tuple[int, str]:
    """Return the status and the body of the answer."""
    request = Request(url, None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if key:
        request.add_header("X-API-Key", key)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except URLError as error:
        sys.exit(f"error: {url}: {error.reason}")


def expect(wanted: int, url: str, body: dict[str, Any] | None = None, key: str | None = None) -> str:
    """Return the body of an answer that must have the status `wanted`."""
    status, answer = ask(url, body, key)
    if status != wanted:
        sys.exit(f"error: {url} answered {status}, not {wanted}: {answer[:500]}")
    return answer


def main() -> None:
    url = sys.argv[1]
    key = base64.b64decode(sys.stdin.read()).decode().split(",")[0].strip()

    health = json.loads(expect(200, f"{url}/health"))
    print(f"health: {health['status']}, model version {health['model_version']}")

    # What is asked is the example the served model brings.
    described = json.loads(expect(200, f"{url}/openapi.json"))
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    row = content["application/json"]["example"]
    if key:
        expect(401, f"{url}/predict", row)
        print("predict without a key: refused")
    prediction = json.loads(expect(200, f"{url}/predict", row, key))
    print(f"predict: {prediction['prediction']}, confidence {prediction['confidence']}")

    metrics = expect(200, f"{url}/metrics")
    counted = 'http_requests_total{method="POST",route="/predict",status="200"}'
    if counted not in metrics:
        sys.exit(f"error: {url}/metrics does not count the prediction: no {counted}")
    print("metrics: the prediction is counted")


if __name__ == "__main__":
    main()
