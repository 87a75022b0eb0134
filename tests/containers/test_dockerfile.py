"""The Dockerfile read as data: what an engine would not refuse, but nobody wants."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

Instruction = tuple[str, str]  # its name, and the rest of it on one line


def instructions() -> list[Instruction]:
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def stages() -> dict[str, list[Instruction]]:
    """Return each stage's instructions, those of the stages it starts from first."""
    found: dict[str, list[Instruction]] = {}
    for name, rest in instructions():
        if name == "FROM":
            base, _, stage = rest.split()
            found[stage] = list(found.get(base, []))
        elif found:
            found[stage].append((name, rest))
    return found


def test_the_base_is_one_release_of_python() -> None:
    froms = [rest.split() for name, rest in instructions() if name == "FROM"]
    ours = {stage for _, _, stage in froms}

    [base] = {image for image, _, _ in froms} - ours

    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?", base)


def test_without_a_target_the_api_is_built() -> None:
    assert list(stages())[-1] == "serve"


@pytest.mark.parametrize("stage", ["serve", "pipeline"])
def test_an_image_gets_what_was_built_and_nothing_of_the_checkout(stage: str) -> None:
    copies = [rest for name, rest in stages()[stage] if name in ("ADD", "COPY")]

    assert [re.match(r"--from=(\S+)", copy).group(1).removeprefix(f"{stage}-") for copy in copies][:2] == [
        "packages",
        "code",
    ]
    assert all(copy.startswith(f"--from={stage}-") for copy in copies)


@pytest.mark.parametrize("stage", ["serve", "pipeline"])
def test_an_image_runs_as_nobody_we_know(stage: str) -> None:
    users = [rest for name, rest in stages()[stage] if name == "USER"]

    assert users == ["10001:10001"]


@pytest.mark.parametrize("stage", ["serve", "pipeline"])
def test_the_first_process_is_python_not_a_shell(stage: str) -> None:
    [command] = [rest for name, rest in stages()[stage] if name == "CMD"]

    assert command.startswith('["python", "-m", "src.')
    assert "ENTRYPOINT" not in [name for name, _ in stages()[stage]]


@pytest.mark.parametrize("stage", ["serve", "pipeline"])
def test_an_image_says_what_it_was_made_from(stage: str) -> None:
    labels = " ".join(rest for name, rest in stages()[stage] if name == "LABEL")

    assert re.findall(r"org\.opencontainers\.image\.(\w+)=", labels) == [
        "source",
        "title",
        "version",
        "revision",
    ]


def test_the_health_check_needs_python_alone() -> None:
    [check] = [rest for name, rest in stages()["serve"] if name == "HEALTHCHECK"]

    assert check.endswith('CMD ["sh", "-c", "exec python -m src.serving.healthcheck $PORT"]')


def test_every_package_is_installed_by_its_hash() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "install" in rest]

    assert len(installs) == 2
    for install in installs:
        assert "--no-deps --require-hashes -r requirements.txt" in install
        assert "apt" not in install


def test_what_reaches_a_build_is_named() -> None:
    patterns = [
        line
        for line in (REPOSITORY / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert patterns[0] == "*"
    allowed = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    assert all((REPOSITORY / name).exists() for name in allowed if "*" not in name)
    sources = {
        source
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    reaching = {source for source in sources if {source, Path(source).parts[0]} & set(allowed)}
    assert sources - reaching == set()
