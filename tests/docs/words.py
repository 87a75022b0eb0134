"""What a command of the documentation names: targets, modules, flags, files and variables that must exist."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from scripts import tables
from src.config import Settings
from tests.conftest import REPOSITORY
from tests.docs.blocks import Block

MADE = ("build", "data/processed", "data/raw", "mlruns", "models", ".venv")  # by our commands
ENDS = {"&&", "||", "|", ";", "&", "(", ")", "\n"}
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", flags=re.DOTALL)
FILE = re.compile(r"[\w.-]+(/[\w.-]+)*/?", flags=re.ASCII)
SUFFIXES = (
    ".csv",
    ".env",
    ".example",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".tf",
    ".tfvars",
    ".toml",
    ".yaml",
    ".yml",
)
KINDS = r"(configmap|cronjob|deploy|deployment|job|pod|secret|service|statefulset|svc)s?/"


@cache
def targets() -> frozenset[str]:
    return frozenset(command.strip("`").removeprefix("make ") for command, _ in tables.commands()[1:])


@cache
def make_variables() -> frozenset[str]:
    text = "".join(
        file.read_text()
        for file in [REPOSITORY / "Makefile", *REPOSITORY.glob("*/*.mk"), *REPOSITORY.glob("scripts/*/*.mk")]
    )
    return frozenset(
        re.findall(r"^([A-Z_]+) [?:]?=", text, re.MULTILINE)
        + re.findall(r"(?:\$[({]|call needed,)([A-Z_]+)", text)
    )


@cache
def variables() -> frozenset[str]:
    """Every environment variable that the server, a script, Compose or Terraform reads."""
    files = [
        *(REPOSITORY / "scripts").rglob("*.sh"),
        *(REPOSITORY / "deploy").rglob("*.env"),
        REPOSITORY / "docker-compose.yml",
    ]
    text = "".join(file.read_text() for file in files)
    terraform = "".join(file.read_text() for file in (REPOSITORY / "terraform").glob("*.tf"))
    return make_variables() | {
        *(name.upper() for name in Settings.model_fields),
        *re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", text),
        *re.findall(r"^([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE),
        *(f"TF_VAR_{name}" for name in re.findall(r'^variable "(\w+)"', terraform, flags=re.MULTILINE)),
    }


@cache
def names() -> frozenset[str]:
    """Return those and every other name in capitals that a workflow or a manifest has."""
    files = [*(REPOSITORY / ".github").rglob("*.yml"), *(REPOSITORY / "deploy").rglob("*.yaml")]
    found = re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", "".join(file.read_text() for file in files))
    return variables() | set(found)


def commands(block: Block) -> Iterator[list[str]]:
    """Give the words of each command in `block`."""
    text = re.sub(r"<[a-z][^<>]*>", "PLACEHOLDER", block.text, flags=re.IGNORECASE)
    words: list[str] = []
    line = ""
    for part in text.replace("\\\n", " ").splitlines():
        line += part + "\n"
        try:
            found = list(_lexer(line))
        except ValueError:  # a quotation goes on in the next line
            continue
        line = ""
        for word in [*found, "\n"]:
            if word in ENDS:
                yield words
                words = []
            else:
                words.append(word)
    assert not line, f"{block.where}: a quotation has no end"


def _lexer(line: str) -> shlex.shlex:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return lexer


def unknown(block: Block, before: str) -> list[str]:
    """Return what `block` names and the project does not have; `before` is the page up to its end."""
    made = set(re.findall(r"(?:cp \S+|>|mkdir(?: -p)?|touch|tee|-out|--output) +([\w./-]+)", before))
    found: list[str] = []
    for words in commands(block):
        words = [word for word in words if word not in ("sudo", "export", "env", "time")]
        while words and (match := ASSIGNMENT.fullmatch(words[0])):
            if match[1] not in variables() and not re.search(rf"\$\{{?{match[1]}\b", before):
                found.append(f"the variable {match[1]}")
            words = words[1:]
        if not words:
            continue
        program, *arguments = words
        if program == "make":
            found += _unknown_to_make(arguments)
        elif program in ("python", "python3") and arguments[:1] == ["-m"]:
            found += _unknown_to_module(arguments[1], arguments[2:])
        elif program == "dvc":
            found += _unknown_parameters(arguments)
        elif program.startswith("scripts/") and program != "scripts/compose.sh":  # which hands them on
            found += _unknown_flags(program, REPOSITORY / program, arguments)
        found += [f"the file {word}" for word in map(_path, words) if word and not exists(word, made)]
    return found


def _unknown_to_make(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        if match := ASSIGNMENT.fullmatch(argument):
            if match[1] not in variables():
                yield f"the variable {match[1]} of make"
        elif not argument.startswith("-") and argument not in targets():
            yield f"the target {argument}"


def _unknown_to_module(module: str, arguments: list[str]) -> Iterator[str]:
    if module in ("pip", "venv", "http.server"):
        return
    file = module_file(module)
    if not file.exists():
        yield f"the module {module}"
        return
    yield from _unknown_flags(module, file, arguments)


def _unknown_flags(program: str, file: Path, arguments: list[str]) -> Iterator[str]:
    text = file.read_text() if file.exists() else ""
    for flag in (argument.partition("=")[0] for argument in arguments if argument.startswith("--")):
        if not re.search(rf"{flag}\b", text):
            yield f"the flag {flag} of {program}"


def module_file(module: str) -> Path:
    """Return what `python -m module` runs."""
    path = REPOSITORY / module.replace(".", "/")
    return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")


def _unknown_parameters(arguments: list[str]) -> Iterator[str]:
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    for flag, value in zip(arguments, arguments[1:], strict=False):
        section, _, key = value.partition("=")[0].partition(".")
        if flag in ("-S", "--set-param") and key not in params.get(section, {}):
            yield f"the parameter {section}.{key}"


def _path(word: str) -> str | None:
    """Return the path that `word` is, or that is the value of the option it is."""
    if word.startswith("-"):
        word = word.partition("=")[2]
    word = word.removeprefix("@").removeprefix("./")
    if not FILE.fullmatch(word) or re.match(KINDS, word) or word.upper() == word:
        return None
    return word if "/" in word or word.endswith(SUFFIXES) else None


def exists(path: str, made: set[str]) -> bool:
    """Return whether `path` is in the repository, or made by a command of ours or one of `made`."""
    known = any(Path(path).is_relative_to(folder) for folder in (*MADE, *made))
    return known or (REPOSITORY / path).exists()
