"""`make dashboards`: Grafana's dashboards, written once here and as JSON where Grafana reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import bargauge, stat, statushistory, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    QueryVariable,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

FOLDER = Path("k8s/monitoring/grafana/dashboards")
RUNBOOKS = "https://github.com/mlarnes/mlops-core/blob/main/docs/runbooks.md"
SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
WIDTH, HEIGHT = 12, 8  # of a panel; the grid is 24 wide

PANELS: dict[str, Any] = {
    "bars": bargauge.Panel,
    "lines": timeseries.Panel,
    "number": stat.Panel,
    "squares": statushistory.Panel,  # one row for each series, coloured by its value
}


class View(NamedTuple):
    """One panel: a question, and the expressions that answer it."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]  # expression, legend
    kind: str = "lines"
    page: str = ""  # of the runbooks
    limits: tuple[float, ...] = ()  # yellow from the first, red from the last


SERVICE = [
    View(
        "How many requests come?", "reqps", [("sum by (route) (rate(http_requests_total[5m]))", "{{route}}")]
    ),
    View(
        "How many are answered with an error?",
        "reqps",
        [("sum by (error_type, endpoint) (rate(api_errors_total[5m]))", "{{endpoint}} {{error_type}}")],
        page="availabilityburns",
    ),
    *(
        View(
            title,
            "s",
            [
                (
                    f"histogram_quantile({share}, sum by (le) "
                    f'(rate(http_request_duration_seconds_bucket{{route="{route}"}}[5m])))',
                    name,
                )
                for share, name in ((0.5, "half of them"), (0.95, "95 %"), (0.99, "99 %"))
            ],
            page="latencyburns",
        )
        for title, route in (
            ("How long does a prediction take?", "/predict"),
            ("How long does a batch take?", "/predict/batch"),
        )
    ),
    View("How many are being answered at once?", "short", [("sum(http_requests_in_flight)", "in flight")]),
    View(
        "How much processor and memory does each instance use?",
        "short",
        [
            ('rate(process_cpu_seconds_total{job="iris-api"}[5m])', "{{instance}} processors"),
            ('process_resident_memory_bytes{job="iris-api"} / 2^30', "{{instance}} GiB"),
        ],
    ),
    View(
        "How fast does the budget for failures burn?",
        "short",
        [(f"job:predict_errors:ratio_rate{window} / 0.001", window) for window in ("5m", "1h", "6h", "3d")],
        page="availabilityburns",
        limits=(1, 14.4),
    ),
    View(
        "How fast does the budget for slow answers burn?",
        "short",
        [(f"job:predict_slow:ratio_rate{window} / 0.01", window) for window in ("30m", "1h", "6h", "3d")],
        page="latencyburns",
        limits=(1, 14.4),
    ),
    View(
        "How much of three days' budget for failures is left?",
        "percentunit",
        [("1 - job:predict_errors:ratio_rate3d / 0.001", "left")],
        kind="number",
        page="availabilityburns",
    ),
    View(
        "Who is refused?",
        "short",
        [
            ("sum by (route) (increase(rate_limited_requests_total[5m]))", "over the limit of {{route}}"),
            ("sum by (reason) (increase(auth_failures_total[5m]))", "key {{reason}}"),
        ],
        page="wrongkeystorm",
    ),
    View(
        "Are rate limits shared?",
        "bool_yes_no",
        [("min(rate_limit_storage_up)", "shared storage")],
        kind="number",
        page="ratelimitstoragedown",
    ),
]
MODEL = [
    View(
        "Is a model in service?",
        "bool_yes_no",
        [("min(model_loaded)", "everywhere")],
        "number",
        "modelnotloaded",
    ),
    View(
        "Which version is in service?",
        "short",
        [("count by (name, version) (model_info == 1)", "{{name}} {{version}}")],
        "number",
        "modelstale",
    ),
    View(
        "When did the model change, and when was one refused?",
        "short",
        [
            ("sum(increase(model_swaps_total[5m]))", "put into service"),
            ("sum(increase(model_refused_total[5m]))", "refused"),
        ],
        page="bundlerefused",
    ),
    View(
        "What is predicted?",
        "percentunit",
        [
            ("class:model_predictions:share1h", "{{predicted_class}}"),
            ("max by (predicted_class) (model_class_reference_share)", "{{predicted_class}} in training"),
        ],
        page="classmixshift",
    ),
    View(
        "How far is that from training? (PSI)",
        "short",
        [("job:class_psi:1h", "{{job}}")],
        page="classmixshift",
        limits=(0.1, 0.25),
    ),
    View(
        "How sure is the model?",
        "percentunit",
        [
            ("job:model_confidence:mean1h", "mean"),
            (
                "histogram_quantile(0.1, sum by (le) (rate(model_confidence_bucket[1h])))",
                "a tenth is surer of less than",
            ),
        ],
        page="confidencecollapse",
    ),
    View(
        "How many rows are not as the schema says?",
        "percentunit",
        [("job:invalid_rows:ratio_rate1h", "{{job}}")],
        page="invalidrows",
    ),
]
DRIFT = [
    View(
        "Which feature has moved within the hour? (PSI)",
        "short",
        [("version_feature:psi:1h", "{{feature}}, version {{version}}")],
        "squares",
        "featuredrift",
        (0.1, 0.25),
    ),
    View(
        "Which feature has moved within the day? (PSI)",
        "short",
        [("version_feature:psi:1d", "{{feature}}, version {{version}}")],
        "squares",
        "featuredrift",
        (0.1, 0.25),
    ),
    View(
        "How is $feature distributed now?",
        "percentunit",
        [
            (
                'sum by (bin) (version_feature_bin:model_feature_rows:share1h{feature="$feature"})',
                "{{bin}}",
            )
        ],
        "bars",
        "featuredrift",
    ),
    View(
        "How was $feature distributed in training?",
        "percentunit",
        [
            (
                'max by (bin) (version_feature_bin:model_feature_reference_share:max{feature="$feature"})',
                "{{bin}}",
            )
        ],
        "bars",
        "featuredrift",
    ),
    View(
        "Where is more missing, unseen or out of range than in training?",
        "percentunit",
        [("version_feature:unusual_inputs:excess_share1h", "{{feature}}")],
        page="unusualinputs",
    ),
    View(
        "How many rows is that judged by?",
        "short",
        [("max by (version) (version_feature:model_feature_rows:increase1h)", "version {{version}}")],
    ),
]
MONITORING = [
    View("Who answers Prometheus?", "bool_yes_no", [("up", "{{job}} {{instance}}")], "squares", "targetdown"),
    View(
        "Which alerts fire?", "short", [('sum by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}")]
    ),
    View(
        "Do rules fail?",
        "short",
        [("sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[5m]))", "{{rule_group}}")],
        page="rulesfail",
    ),
    View(
        "Do notifications arrive?",
        "short",
        [
            (
                "sum by (integration) (increase(alertmanager_notifications_total[15m]))",
                "{{integration}} sent",
            ),
            (
                "sum by (integration) (increase(alertmanager_notifications_failed_total[15m]))",
                "{{integration}} failed",
            ),
        ],
        page="notificationsfail",
    ),
    View("How many series are kept?", "short", [("prometheus_tsdb_head_series", "series")]),
    View(
        "How long do rules take?",
        "s",
        [("sum by (rule_group) (prometheus_rule_group_last_duration_seconds)", "{{rule_group}}")],
    ),
]
DASHBOARDS = {"service": SERVICE, "model": MODEL, "drift": DRIFT, "monitoring": MONITORING}


def panel(view: View, place: int) -> Any:
    """Return the builder of a panel at `place`, counted from the top left."""
    made = PANELS[view.kind]()
    made.title(view.title).datasource(SOURCE).unit(view.unit)
    made.grid_pos(GridPos(h=HEIGHT, w=WIDTH, x=place % 2 * WIDTH, y=place // 2 * HEIGHT))
    if view.kind in ("bars", "number"):
        made.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    if view.limits:
        steps = zip((None, *view.limits), ("green", "yellow", "red"), strict=True)
        marks = [Threshold(value=value, color=color) for value, color in steps]
        made.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(marks))
    if view.page:
        made.links([DashboardLink("What to do").type(DashboardLinkType.LINK).url(f"{RUNBOOKS}#{view.page}")])
    for number, (expression, legend) in enumerate(view.queries):
        made.with_target(Dataquery().ref_id(chr(65 + number)).expr(expression).legend_format(legend))
    return made


def dashboard(name: str) -> str:
    """Return the dashboard `name` as JSON."""
    made = Dashboard(f"mlops-core: {name}").uid(f"mlops-core-{name}").tags(["mlops-core"])
    made.time("now-6h", "now").refresh("30s").timezone("browser").readonly()
    if any("$feature" in view.title for view in DASHBOARDS[name]):
        features = QueryVariable("feature").datasource(SOURCE).refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        made.with_variable(features.query("label_values(model_feature_reference_share, feature)"))
    for place, view in enumerate(DASHBOARDS[name]):
        made.with_panel(panel(view, place))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def main() -> None:
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(dashboard(name))


if __name__ == "__main__":
    main()
