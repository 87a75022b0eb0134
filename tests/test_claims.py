"""What the documentation claims about security and speed is held by a test or a benchmark that it names.

`docs/security.md` names tests in the last cell of each threat. A README names them in footnotes: `[^name]`
stands behind the claim, and at the end of the page `[^name]: evidence`, which is one or more of

    `tests/file.py::test_function`, `terraform/tests/file.tftest.hcl::run`
    `bench/report.py: requests/s at 16 connections / (b) >= 25`, whose number the claim repeats;
    what it says was measured is what `docs/performance.md` has.

A line needs a footnote when it is an item of a section in SECTIONS, or holds one of the WORDS people trust.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from bench.samples import BATCH_ROWS
from tests.conftest import REPOSITORY

READMES = sorted(REPOSITORY.glob("README*.md"))
SECTIONS = ("Security", "Speed", "Sécurité", "Vitesse")
WORDS = re.compile(
    r"\b(attacks?|bit|bytes?|cannot|faster|fastest|hostile|microseconds|milliseconds|never|proves?|refuses?"
    r"|requests/s|rows/s|safe|safely|secure|times (as|the|those)|unpickles?)\b"
)
EVIDENCE = re.compile(r"`((?:bench|terraform/tests|tests)/[^`]+)`")
BENCHMARK = re.compile(r"bench/report\.py: (.+?) ([<>]=) ([\d.,]+)")
FOOTNOTE = re.compile(r"\[\^([\w-]+)\](?!:)")
DEFINITION = re.compile(r"^\[\^([\w-]+)\]: (.*)$", flags=re.MULTILINE)


@cache
def names_in(file: Path) -> set[str]:
    """Return the names of the tests of a file, of Python or of Terraform."""
    if not file.is_file():
        return set()
    text = file.read_text(encoding="utf-8")
    if file.name.endswith(".tftest.hcl"):
        return set(re.findall(r'^run "(\w+)" {$', text, flags=re.MULTILINE))
    nodes = [
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {node.name for node in nodes if node.name.startswith("test_")}


@cache
def benchmarks() -> dict[str, str]:
    """Return what `make bench` wants of each ratio, and of batches."""
    source = (REPOSITORY / "bench/report.py").read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    ratios = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Ratio"]
    wanted = {ast.literal_eval(call.args[1]): ast.literal_eval(call.args[3]) for call in ratios}
    [batch] = re.findall(r"rows/s, wanted (>= [\d,]+)", source)
    return {**wanted, f"/predict/batch, {BATCH_ROWS:,} rows a request, rows/s": batch}


@cache
def measured() -> dict[str, tuple[str, str]]:
    """Return what is wanted and what the first machine measured, by the table in docs/performance.md."""
    page = (REPOSITORY / "docs/performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| ([<>]= [\d.,]+) \| ([\d.,]+) \|.*$", page, flags=re.MULTILINE)
    return {name.replace("`", ""): (wanted, value) for name, wanted, value in rows}


def holds(evidence: str) -> bool:
    """Return whether there is such a test, or a benchmark that wants this and was measured so."""
    file, _, name = evidence.partition("::")
    if name:
        return name in names_in(REPOSITORY / file)
    if match := BENCHMARK.fullmatch(evidence):
        name, sign, bound = match.groups()
        wanted, value = measured().get(name, ("", "0"))
        least, most = (number(bound), number(value)) if sign == ">=" else (number(value), number(bound))
        return benchmarks().get(name) == wanted == f"{sign} {bound}" and least <= most
    return False


def number(text: str) -> float:
    return float(text.replace(",", ""))


def figures(text: str) -> set[str]:
    """Return the digits of each number in `text`, however a language parts them."""
    return {re.sub(r"\D", "", one) for one in re.findall(r"\d+(?:[.,\s]\d+)*", text)}


def unsaid(line: str, evidence: str) -> list[str]:
    """Return the numbers of a benchmark that a line which rests on it should say, and does not."""
    match = BENCHMARK.fullmatch(evidence)
    if match is None:
        return []
    name, _, bound = match.groups()
    value = measured()[name][1] if re.search("measured|mesur", line) and name in measured() else bound
    return [one for one in (bound, value) if not figures(one) <= figures(line)]


def claims(page: str) -> list[str]:
    """Return the lines of a README that need a footnote or have one."""
    found, section = [], ""
    for line in re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE).splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif line.startswith(("|", "<!--")) or DEFINITION.match(line):
            continue
        elif WORDS.search(line) or FOOTNOTE.search(line) or (section in SECTIONS and line.startswith("- ")):
            found.append(line)
    return found


def faults(page: str) -> list[str]:
    """Return what is wrong with the claims of a README, each in a line."""
    notes = dict(DEFINITION.findall(page))
    wrong, used = [], set()
    for line in claims(page):
        names = FOOTNOTE.findall(line)
        used |= set(names)
        if not names:
            wrong.append(f"nothing holds: {line}")
        found = [evidence for name in names for evidence in EVIDENCE.findall(notes.get(name, ""))]
        wrong += [f"not {one}: {line}" for evidence in found for one in unsaid(line, evidence)]
    wrong += [f"[^{name}] is nowhere" for name in sorted(used - notes.keys())]
    for name, note in notes.items():
        found = EVIDENCE.findall(note)
        if name not in used or not found:
            wrong.append(f"[^{name}] holds nothing")
        wrong += [f"[^{name}]: no {evidence}" for evidence in found if not holds(evidence)]
    return wrong


def threats() -> list[str]:
    page = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| threat \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", page, flags=re.MULTILINE)
    assert len(tables) == page.count("| threat |")
    return [row for table in tables for row in table.splitlines()]


@pytest.mark.parametrize("row", threats(), ids=lambda row: row.split(" | ")[0].removeprefix("| "))
def test_what_stops_a_threat_is_proved(row: str) -> None:
    tests = EVIDENCE.findall(row.split(" | ")[-1])

    assert tests
    assert [test for test in tests if not holds(test)] == []


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_each_claim_of_a_readme_is_held(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert faults(text) == []
    assert len(set(SECTIONS) & set(re.findall(r"^## (.+)$", text, flags=re.MULTILINE))) == 2


def test_readmes_rest_on_the_same_evidence() -> None:
    pages = [page.read_text(encoding="utf-8") for page in READMES]
    notes = [{name: EVIDENCE.findall(note) for name, note in DEFINITION.findall(page)} for page in pages]

    assert all(one == notes[0] for one in notes)


def test_every_bound_of_the_benchmark_was_measured() -> None:
    assert {name: wanted for name, (wanted, _) in measured().items()} == benchmarks()


GOOD = """\
# A product

It never sleeps.[^awake]

```
This is never read.
```

## Security

- A key is needed.[^key]

## Speed

- It answers 25 times the requests of (b).[^rate]

[^awake]: `tests/test_claims.py::test_a_page_whose_claims_are_held_is_right`
[^key]: `tests/test_claims.py::test_a_page_whose_claims_are_held_is_right`, and other words
[^rate]: `bench/report.py: requests/s at 16 connections / (b) >= 25`
"""


def test_a_page_whose_claims_are_held_is_right() -> None:
    assert faults(GOOD) == []


def test_numbers_are_known_in_any_language() -> None:
    assert figures("100,000 rows, 0.8") == figures("100 000 lignes, 0,8") == {"100000", "08"}


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("sleeps.[^awake]", "sleeps.", "nothing holds: It never sleeps."),
        ("needed.[^key]", "needed.", "nothing holds: - A key is needed."),
        (
            "[^key]: `tests/test_claims.py::test_a_",
            "[^key]: `tests/test_claims.py::test_the_",
            "[^key]: no tests/",
        ),
        ("[^key]: `tests/test_claims.py", "[^key]: `tests/test_others.py", "[^key]: no tests/test_others.py"),
        (
            "[^key]: `tests/test_claims.py::test_a_page",
            "[^key]: the page `test_a_page",
            "[^key] holds nothing",
        ),
        ("[^key]: ", "[^lock]: ", "[^key] is nowhere"),
        ("25 times", "100 times", "not 25: - It answers 100 times"),
        ("of (b).", "of (b), 99 were measured.", "not 174: - It answers 25"),
        ("(b) >= 25`", "(b) >= 24`", "not 24: "),
        ("(b) >= 25`", "(b) <= 25`", "[^rate]: no bench/report.py"),
        ("at 16 connections", "at 17 connections", "[^rate]: no bench/report.py"),
        ("`bench/report.py: ", "`bench/bench.py: ", "[^rate]: no bench/bench.py"),
    ],
)
def test_a_claim_that_nothing_holds_is_seen(before: str, after: str, fault: str) -> None:
    assert GOOD.count(before) == 1

    assert any(line.startswith(fault) for line in faults(GOOD.replace(before, after)))
