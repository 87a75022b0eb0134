"""A checkout on a machine whose kubectl, minikube, kind and docker only write down how they were called."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY

FOREVER = sys.maxsize
FAKES = ("docker", "kind", "kubectl", "minikube")

# What else the scripts call; nothing but this and the fakes is to be found.
SYSTEM = (
    *("awk", "basename", "bash", "cat", "date", "dirname", "env", "git", "grep", "head", "make", "mkdir"),
    *("mktemp", "od", "rm", "sed", "seq", "sh", "sleep", "sort", "tail", "tr"),
)

FAKE = """#!{python} -ISE
import json, os, re, sys, time

line = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
folder = {folder!r}
with open(folder + "/calls", "a") as file:
    stdin = sys.stdin.read() if "-" in sys.argv else ""
    environment = {{name: os.environ.get(name) for name in ("KUBECONFIG", "DOCKER_BUILDKIT")}}
    entry = dict(line=line, argv=sys.argv[1:], stdin=stdin, pid=os.getpid(), environment=environment)
    file.write(json.dumps(entry) + chr(10))
with open(folder + "/calls") as file:
    before = [json.loads(each)["line"] for each in file][:-1]
with open(folder + "/answers") as file:
    for pattern, outputs, code, calls in json.load(file):
        if re.search(pattern, line):
            earlier = sum(bool(re.search(pattern, each)) for each in before)
            stream = sys.stderr if code else sys.stdout
            print(outputs[min(earlier, len(outputs) - 1)], end="", flush=True, file=stream)
            while len(open(folder + "/calls").readlines()) < calls:
                time.sleep(0.01)
            sys.exit(code)
"""


class Machine:
    """A checkout with `contexts` in its kubeconfig; a tool answers nothing, successfully, unless told so."""

    def __init__(self, folder: Path, contexts: tuple[str, ...]) -> None:
        self.checkout = folder / "checkout"
        self.programs = folder / "bin"
        self._folder = folder
        self._answers: list[tuple[str, tuple[str, ...], int, int]] = []
        self.programs.mkdir()
        for name in FAKES:
            program = self.programs / name
            program.write_text(FAKE.format(python=sys.executable, folder=str(folder)))
            program.chmod(0o755)
        for name in SYSTEM:
            (self.programs / name).symlink_to(str(shutil.which(name)))
        (self.programs / "python3").symlink_to(sys.executable)
        self.checkout.mkdir()
        for name in ("Makefile", "pyproject.toml", *_makefiles()):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, self.checkout / name)
        shutil.copytree(REPOSITORY / "scripts", self.checkout / "scripts", dirs_exist_ok=True)
        self.answer(r"^kubectl --context \S+ config get-contexts", code=1)
        for context in contexts:
            self.answer(rf"^kubectl --context {context} config get-contexts {context} ", f"{context}\n")

    def answer(self, pattern: str, *outputs: str, code: int = 0, until: int = 0) -> None:
        """Calls that match `pattern` print `outputs`, one each and then the last; the latest answer counts.

        They end with `code`, not before there have been `until` calls of all tools.
        """
        self._answers.insert(0, (pattern, outputs or ("",), code, until))
        (self._folder / "answers").write_text(json.dumps(self._answers))

    def lose(self, name: str) -> None:
        """Uninstall a program."""
        (self.programs / name).unlink()

    def run(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, and forget the calls of the one before."""
        (self._folder / "calls").write_text("")
        return subprocess.run(
            command,
            cwd=self.checkout,
            env={
                "PATH": str(self.programs),
                "HOME": str(self._folder),
                "K8S_POLL_SECONDS": "0.1",
                **environment,
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._folder / "calls").read_text().splitlines()]

    @property
    def calls(self) -> list[str]:
        """What was called by the last command, without the questions for a context."""
        return [entry["line"] for entry in self.entries if " config get-contexts " not in entry["line"]]


def _makefiles() -> list[str]:
    lines = (REPOSITORY / "Makefile").read_text().splitlines()
    return [name for line in lines if line.startswith("include ") for name in line.split()[1:]]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
