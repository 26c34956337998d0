"""The dashboard and the alerts ask for metrics that there are, by labels and values that they have."""

import json
import re
from pathlib import Path

import pytest
import yaml

from auth.metrics.catalogue import Kind, Metric, as_table
from auth.reason import Reason

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
EXPRESSIONS = {
    **{
        f"panel {panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    },
    **{f"alert {rule['alert']}": rule["expr"] for rule in RULES},
}
VALUES = {
    "reason": {reason.value for reason in Reason},
    "outcome": {"accepted", "challenged", "refused", "configuration", "service", "unavailable"},
    "result": {"taken", "refused", "failed", "unknown", "done"},
}
PROMETHEUS_OWN = {"instance", "job", "le"}


def names(metric: Metric) -> set[str]:
    return {f"{metric}_{end}" for end in ("bucket", "sum", "count")} if metric.kind is Kind.HISTOGRAM else {str(metric)}


KNOWN = {name: metric for metric in Metric for name in names(metric)}


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_exist(where):
    expression = EXPRESSIONS[where]
    asked = re.findall(r"\b(dirfactor_\w+)(?:\{([^}]*)\})?", expression)
    assert asked or "up{" in expression
    labels = set()
    for name, matchers in asked:
        assert name in KNOWN
        labels |= set(KNOWN[name].labels)
        for label, value in re.findall(r'(\w+)=~?"([^"]*)"', matchers):
            assert label in {*KNOWN[name].labels, *PROMETHEUS_OWN}
            assert label not in VALUES or set(value.split("|")) <= VALUES[label]
    for grouped in re.findall(r"(?:by|on|group_left) \(([\w, ]*)\)", expression):
        assert set(filter(None, grouped.split(", "))) <= labels | PROMETHEUS_OWN
    assert expression.count("(") == expression.count(")")


def test_counters_are_only_looked_at_as_rates():
    for where, expression in EXPRESSIONS.items():
        for name in re.findall(r"\bdirfactor_\w+", expression):
            if KNOWN[name].kind is Kind.COUNTER:
                assert re.search(rf"(?:rate|increase)\({name}\b", expression), where


def test_every_alert_says_what_it_is_and_what_helps():
    for rule in RULES:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "remedy"}
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_panels_lie_beside_each_other():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def test_every_metric_that_is_no_detail_is_on_the_dashboard_or_rings():
    asked = " ".join(EXPRESSIONS.values())
    unseen = {metric for metric in Metric if str(metric) not in asked}
    details = {Metric.DIRECTORY_VERSION, Metric.HTTP_ANSWERS, Metric.TEXTS_REFUSED, Metric.RECEIPTS_UNKNOWN}
    assert unseen == {*details, Metric.AUDIT_LINES, Metric.BUILD}


def test_the_page_has_the_table_of_all_metrics():
    page = (FOLDER.parent / "monitoring.md").read_text()
    assert as_table() in page, f"put this table into docs/monitoring.md:\n{as_table()}"
