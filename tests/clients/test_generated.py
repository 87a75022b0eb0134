"""What others generate from the OpenAPI document compiles, and gets the answers of `/predict`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.clients.conftest import Served

PACKAGES = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3")
CALL_PYTHON = """
import json, sys
from client.client_client import Client
from client.client_client.api.predictions import predict, predict_batch
from client.client_client.models import Batch, Row

client = Client(base_url=sys.argv[1])
rows = json.load(open("rows.json"))
print(json.dumps([predict.sync(client=client, body=Row.from_dict(row)).to_dict() for row in rows]))
"""
CALL_TYPESCRIPT = """
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const rows: components["schemas"]["Row"][] = JSON.parse(readFileSync("rows.json", "utf8"));
const answers: components["schemas"]["Prediction"][] = [];
for (const body of rows) {
  const { data, error } = await client.POST("/predict", { body });
  if (error) throw new Error(error.detail);
  answers.push(data);
}
console.log(JSON.stringify(answers));
"""


@pytest.fixture
def folder(served: Served, tmp_path: Path) -> Path:
    (tmp_path / "openapi.json").write_text(servers.get(f"{served.url}/openapi.json").text)
    (tmp_path / "rows.json").write_text(json.dumps(served.rows))
    return tmp_path


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_python_client_is_generated(served: Served, folder: Path) -> None:
    (folder / "config.yaml").write_text(
        "project_name_override: client\npackage_name_override: client_client\n"
    )
    generate = ("openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "client")
    said = run(folder, *generate, "--config", "config.yaml")
    (folder / "call.py").write_text(CALL_PYTHON)

    answered = json.loads(run(folder, sys.executable, "call.py", served.url))

    assert "WARNING" not in said
    expected = served.predictions()
    keys = ("prediction", "confidence", "probabilities", "model_version")
    assert [{key: one[key] for key in keys} for one in answered] == [
        {key: one[key] for key in keys} for one in expected
    ]


def test_a_typescript_client_is_generated(served: Served, folder: Path) -> None:
    assert shutil.which("npm"), "Node.js with npm is needed: apt-get install nodejs npm"
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    run(folder, "npm", "install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", *PACKAGES)
    run(folder, "npx", "--no-install", "openapi-typescript", "openapi.json", "--output", "schema.ts")
    (folder / "call.ts").write_text(CALL_TYPESCRIPT)
    options = ["--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"]
    run(
        folder,
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--no-save",
        "--loglevel=error",
        *PACKAGES,
        "@types/node@22",
    )
    run(folder, "npx", "--no-install", "tsc", *options, "call.ts")

    answered = json.loads(run(folder, "node", "call.js", served.url))

    assert answered == served.predictions()
