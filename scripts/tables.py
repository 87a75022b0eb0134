"""Write the tables of the documentation from what they describe: `make docs`.

A table stands between `<!-- table: settings -->` and `<!-- end of table -->`.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase
from pydantic.fields import FieldInfo

from src.config import Settings
from src.errors import MlopsError
from src.export.families.registry import FAMILIES
from src.monitoring.bins import NumericProfile
from src.monitoring.online import Reference
from src.monitoring.profile import Profile
from src.runtime.answers import classification, regression
from src.serving.endpoint import Endpoint
from src.serving.endpoints import ENDPOINTS
from src.serving.metrics import Metrics
from src.tasks import CLASSIFICATION

ROOT = Path(__file__).parent.parent
MARKED = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end of table -->)", flags=re.DOTALL)

Row = tuple[str, ...]
_TOLERANCES = {
    "classification": f"{classification.TOLERANCE:g}",
    "regression": f"{regression.TOLERANCE:g} of the number",
}


def pages() -> list[Path]:
    """Return the files that may hold a table."""
    return [*ROOT.glob("README*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def filled(page: Path) -> str:
    """Return the text of `page` with its tables as they should be."""

    def fill(match: re.Match[str]) -> str:
        return match[1] + written(TABLES[match[2]]()) + match[3]

    return MARKED.sub(fill, page.read_text(encoding="utf-8"))


def written(rows: list[Row]) -> str:
    """Return `rows`, the header first, as a table of Markdown."""
    header, *body = [[cell.replace("|", "\\|") or "-" for cell in row] for row in rows]
    lines = [header, ["---"] * len(header), *body]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def endpoints() -> list[Row]:
    """Every endpoint that is documented."""

    def limit(endpoint: Endpoint) -> str:
        setting = Settings.model_fields.get(endpoint.limit or "")
        value = setting.default if setting else endpoint.limit
        return f"`{value}`" if value else ""

    def fields(answer: type[Any]) -> str:
        return ", ".join(f"`{name}`" for name in getattr(answer, "model_fields", ()))

    def statuses(endpoint: Endpoint) -> str:
        return ", ".join(str(status) for status in sorted({*endpoint.other_answers, *endpoint.all_problems}))

    return [
        ("endpoint", "key", "limit per client", "what it does", "fields of the answer", "other statuses"),
        *(
            (
                f"`{endpoint.method} {endpoint.path}`",
                "yes" if endpoint.key else "no",
                limit(endpoint),
                f"{endpoint.summary} {endpoint.description}".strip(),
                fields(endpoint.answer),
                statuses(endpoint),
            )
            for endpoint in (entry.for_task(CLASSIFICATION.name) for entry in ENDPOINTS)
            if endpoint.documented
        ),
    ]


def settings() -> list[Row]:
    """Every environment variable of the server."""

    def default(value: Any) -> str:
        return f"`{value}`" if value not in ((), None) else ""

    return [
        ("variable", "default", "meaning"),
        *(
            (f"`{name.upper()}`", default(field.default), str(field.description))
            for name, field in Settings.model_fields.items()
        ),
    ]


def parameters() -> list[Row]:
    """Every key of `params.yaml`, optional ones behind a `#` too, with the comment beside it."""
    rows: list[Row] = [("key", "value", "meaning")]
    section = ""
    for line in (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"( *)(?:# )?(\w+):([^#]*)(?:# (.*))?$", line):
            indent, key, value, comment = match.groups()
            if indent:
                rows.append((f"`{section}.{key}`", f"`{value.strip()}`", comment or ""))
            else:
                section = key
    return rows


def families() -> list[Row]:
    """Every model family, with parameters to start with."""

    def yaml_of(key: str, field: FieldInfo) -> str:
        value = field.examples[0] if field.examples else field.default
        return f"`{yaml.safe_dump({key: value}).strip()}`"

    rows: list[Row] = [
        ("`train.model`", "what it is", "scikit-learn's class", "its parameters", "answers as scikit-learn")
    ]
    for family in FAMILIES:
        fields = family.params.model_fields
        start = ", ".join(yaml_of(key, fields[key]) for key in family.parameters)
        forms = family.forms.items()
        estimators = ", ".join(f"`{form.estimator.__name__}`" for _, form in forms)
        said = {
            task: "to the last bit" if form.exact else f"within {_TOLERANCES[task]}" for task, form in forms
        }
        if len(set(said.values())) > 1:
            said = {task: f"{task} {how}" for task, how in said.items()}
        rows.append(
            (
                f"`{family.name}`",
                str(family.params.__doc__),
                estimators,
                start,
                ", ".join(dict.fromkeys(said.values())),
            )
        )
    return rows


def commands() -> list[Row]:
    """Every target of `make`."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^  ([a-z0-9-]+) +(.*)$", listed, flags=re.MULTILINE)
    return [("command", "what it does"), *((f"`make {target}`", text) for target, text in found)]


def metrics() -> list[Row]:
    """Every metric that the API exports, those of its process left out."""

    def labels(names: Any) -> str:
        return ", ".join(f"`{name}`" for name in names)

    rows: list[Row] = [("metric", "kind", "labels", "meaning")]
    for metric in Metrics()._own._collector_to_names:
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            rows.append((f"`{name}`", family.type, labels(metric._labelnames), family.documentation))
    reference = Reference()
    one = NumericProfile(edges=(0.0, 1.0), shares=(0.0, 1.0, 0.0, 0.0))
    profile = Profile(rows=1, features={"feature": one}, predictions={"label": 1.0})
    reference.show("1", profile, CLASSIFICATION.name)
    for family in reference.collect():
        names = family.samples[0].labels
        rows.append((f"`{family.name}`", family.type, labels(names), family.documentation))
    return rows


def alerts() -> list[Row]:
    """Every alert, from the rules."""
    rows: list[Row] = [("alert", "severity", "owner", "after", "meaning")]
    for file in sorted((ROOT / "k8s/monitoring/rules").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                if name := rule.get("alert"):
                    labels, notes = rule["labels"], rule["annotations"]
                    link = f"[{name}](runbooks.md#{notes['runbook_url'].rpartition('#')[2]})"
                    after = rule.get("for", "")
                    rows.append((link, labels["severity"], labels["owner"], after, notes["summary"]))
    return rows


def _terraform(file: str, kind: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the name of each block in `file`, and its attributes of one line."""
    text = (ROOT / "terraform" / file).read_text(encoding="utf-8")
    for name, body in re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', text, flags=re.MULTILINE | re.DOTALL):
        yield name, dict(re.findall(r"^  (\w+) += (.+)$", body, flags=re.MULTILINE))


def variables() -> list[Row]:
    """Every variable of Terraform."""
    return [
        ("variable", "type", "default", "meaning"),
        *(
            (f"`{name}`", f"`{one['type']}`", f"`{one['default']}`" if "default" in one else "needed", text)
            for name, one in _terraform("variables.tf", "variable")
            for text in [json.loads(one["description"])]
        ),
    ]


def outputs() -> list[Row]:
    """Every output of Terraform."""
    return [
        ("output", "meaning"),
        *((f"`{name}`", json.loads(one["description"])) for name, one in _terraform("outputs.tf", "output")),
    ]


def errors() -> list[Row]:
    """What ends a command of ours, and its exit code."""

    def below(kind: type[MlopsError]) -> Iterator[type[MlopsError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return [
        ("error", "exit code", "meaning"),
        *((f"`{kind.__name__}`", str(kind.exit_code), str(kind.__doc__)) for kind in below(MlopsError)),
    ]


TABLES: dict[str, Callable[[], list[Row]]] = {
    "alerts": alerts,
    "commands": commands,
    "endpoints": endpoints,
    "errors": errors,
    "families": families,
    "metrics": metrics,
    "outputs": outputs,
    "parameters": parameters,
    "settings": settings,
    "variables": variables,
}


def main() -> None:
    for page in pages():
        text = filled(page)
        if text != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8")
            print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
