"""A terminal in which the blocks of a page are typed, one after the other."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.docs.blocks import OUTPUT, SERVER, Block
from tests.ports import free_port
from tests.servers import Server, answers

STAND_INS = Path(__file__).parent / "stand_ins"
IDENTITY = {
    f"GIT_{role}_{key}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")
}


def copy_checkout(folder: Path) -> None:
    """Make `folder` a clone of this checkout, uncommitted changes included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    environment = {**os.environ, **IDENTITY}
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "clone"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True)


class Terminal:
    """Bash in one folder; what a block exports, and where it goes, stays for the next.

    `git clone`, `make` and `curl` are stand-ins: a clone is a copy of this checkout, what is installed here
    is not installed again, a server takes a free port, and curl need not be installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder.parent / "state"
        self._state.write_text(f"cd {folder}\n")
        self._server: Server | None = None
        self.port = free_port()
        programs = folder.parent / "programs"
        programs.mkdir()
        for file in STAND_INS.glob("*.py"):
            program = programs / file.stem
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{file}" "$@"\n')
            program.chmod(0o755)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW", "MODEL_", "GIT_", "COV_", "MAKE"))
        }
        path = [str(programs), str(Path(sys.executable).parent), kept["PATH"]]
        self._environment = {
            **kept,
            **IDENTITY,
            "HOME": str(folder.parent),
            "DVC_SITE_CACHE_DIR": str(folder.parent / "site"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": os.pathsep.join(path),
            "PORT": str(self.port),
        }

    def type(self, block: Block) -> str:
        """Return what `block` prints; a server stays, until the next."""
        keep = f"\n{{ echo cd \"'$PWD'\"; export -p; }} > '{self._state}'\n"
        script = f". '{self._state}'\n{block.text}"
        if block.mark == SERVER:
            self._serve(script, block.where)
            return ""
        result = self._bash(script + keep)
        assert result.returncode == 0, f"{block.where}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def close(self) -> None:
        """Stop the server."""
        if self._server is not None:
            self._server.end()

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def _serve(self, script: str, where: str) -> None:
        self.close()
        *commands, last = script.rstrip().splitlines()
        keep = f"{{ echo cd \"'$PWD'\"; export -p; }} > '{self._state}'"
        command = ["bash", "-euo", "pipefail", "-c", "\n".join([*commands, keep, last])]
        self._server = Server(command, self._folder, self._folder.parent / "server.log", self._environment)
        self._server.wait_until(lambda: answers(f"http://127.0.0.1:{self.port}/readyz"), where)


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    opened = Terminal(folder)
    try:
        yield opened
    finally:
        opened.close()


def type_page(page: list[Block], opened: Terminal) -> int:
    """Type the blocks of `page` that are run, compare what they print; return how many there were."""
    printed, where, typed = "", "", 0
    for block in page:
        if block.is_run:
            printed, where, typed = opened.type(block), block.where, typed + 1
        elif block.mark == OUTPUT and block.language == "json":
            assert json.loads(printed) == json.loads(block.text), where
        elif block.mark == OUTPUT:
            pattern = ".*?".join(re.escape(part) for part in block.text.rstrip().split("…"))
            assert re.fullmatch(pattern, printed.rstrip(), flags=re.DOTALL), f"{where} printed:\n{printed}"
    return typed
