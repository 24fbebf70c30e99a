"""The alerts for Prometheus: of metrics that exist, explained in a document, and firing when they should."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from product_importer.imports.models import ImportStatus
from product_importer.imports.schemas import ALL_COUNTS
from product_importer.metrics import TOGETHER
from product_importer.webhooks.models import DeliveryStatus
from tests.docs.documents import ROOT, assert_same, read, table

FILE = ROOT / "deploy" / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="NOT TESTED: when alerts fire needs promtool; on Debian: apt-get install prometheus"
)
# The words of PromQL that the expressions use, and the labels that Prometheus adds.
WORDS = {"absent", "and", "changes", "count", "delta", "increase", "max", "offset", "sum"}
TARGET = {"job", "instance"}
VALUES = {"status": {*ImportStatus, *DeliveryStatus}, "outcome": {*ALL_COUNTS}, "job": {"product-importer"}}


class Case(NamedTuple):
    """Series in promtool's notation, a value each minute, with which an alert fires or stays quiet in the end."""

    fires: list[str]
    quiet: list[str]


JOB = '{job="product-importer", instance="a"}'


def together(metric: str, *processes: list[int]) -> str:
    """Return the series of a metric that web processes behind one port tell together."""
    unite, _ = TOGETHER[metric]
    return f"{metric}{JOB} {' '.join(str(unite(minute)) for minute in zip(*processes, strict=True))}"


# Of a process that stays: when it started, and how many files it may open.
STARTED, FILES = [0] * 90, [1024] * 90
CASES = {
    "NotScraped": Case([], ["product_importer_up 1x90"]),
    "ServerAway": Case(
        ['product_importer_up{server="redis"} 1x80 0x10'], ['product_importer_up{server="redis"} 0x80 1x10']
    ),
    "NoWorker": Case(
        ['product_importer_workers{queue="webhooks"} 1x80 0x10'], ['product_importer_workers{queue="webhooks"} 1x90']
    ),
    "VersionsDiffer": Case(
        [f'product_importer_build_info{{version="{version}", instance="{version}"}} 1x90' for version in "12"],
        [f'product_importer_build_info{{version="1", instance="{instance}"}} 1x90' for instance in "ab"],
    ),
    "Restarts": Case(
        [together("process_start_time_seconds", STARTED, [0] * 80 + [*range(4800, 5400, 60)])],
        [together("process_start_time_seconds", STARTED, [0] * 85 + [5100] * 5)],
    ),
    "FilesRunOut": Case(
        [together("process_open_fds", [900] * 90, [50] * 90), together("process_max_fds", FILES, FILES)],
        [together("process_open_fds", [600] * 90, [600] * 90), together("process_max_fds", FILES, FILES)],
    ),
    "MemoryGrows": Case(
        [together("process_resident_memory_bytes", [2_000_000_000] * 90, [400_000_000] * 90)],
        [together("process_resident_memory_bytes", [900_000_000] * 90, [900_000_000] * 90)],
    ),
    "ImportsWait": Case(
        ["product_importer_oldest_pending_import_seconds 0x80 60+60x10"],
        ["product_importer_oldest_pending_import_seconds 0x85 60+60x5"],
    ),
    "ImportStuck": Case(
        ["product_importer_import_ranges_waiting 0x60 20x30"], ["product_importer_import_ranges_waiting 90-1x90"]
    ),
    "ImportsFail": Case(
        ['product_importer_imports{status="failed"} 3x80 4x10'],
        ['product_importer_imports{status="failed"} 3x90', 'product_importer_imports{status="completed"} 3x80 4x10'],
    ),
    "RowsRejected": Case(
        [
            'product_importer_rows_total{outcome="rejected"} 0+20x90',
            'product_importer_rows_total{outcome="created"} 0+100x90',
        ],
        [
            'product_importer_rows_total{outcome="rejected"} 0+1x90',
            'product_importer_rows_total{outcome="created"} 0+100x90',
        ],
    ),
    # Since yesterday, another process has taken the place of the one that told it.
    "CatalogueShrinks": Case(
        [f'product_importer_products{{instance="{series}' for series in ('a"} 1000x80', 'b"} _x80 400x1450')],
        [f'product_importer_products{{instance="{series}' for series in ('a"} 1000x80', 'b"} _x80 1000x1450')],
    ),
    "SpoolLarge": Case(["product_importer_spooled_bytes 30000000000x90"], ["product_importer_spooled_bytes 9000x90"]),
    "TextIndexBehind": Case(
        [f'product_importer_text_index_backlog{{state="{state}"}} 60000x90' for state in ("changed", "unindexed")],
        ['product_importer_text_index_backlog{state="changed"} 900x90'],
    ),
    "EventsWait": Case(
        ["product_importer_oldest_undelivered_event_seconds 0+60x90", "product_importer_webhooks_failing 0x90"],
        ["product_importer_oldest_undelivered_event_seconds 0+60x90", "product_importer_webhooks_failing 1x90"],
    ),
    "EventsPileUp": Case(
        ["product_importer_events_unsent 100000x90"], ["product_importer_events_unsent 0x60 60000x30"]
    ),
    "DeliveriesPileUp": Case(
        ["product_importer_deliveries_pending 20000x90"], ["product_importer_deliveries_pending 200x90"]
    ),
    "DeliveriesGivenUp": Case(
        [
            'product_importer_newest_deliveries{status="failed"} 200x90',
            'product_importer_newest_deliveries{status="succeeded"} 9800x90',
        ],
        [
            'product_importer_newest_deliveries{status="failed"} 0x90',
            'product_importer_newest_deliveries{status="succeeded"} 0x90',
        ],
    ),
    "WebhookFails": Case(["product_importer_webhooks_failing 1x90"], ["product_importer_webhooks_failing 0x80 1x10"]),
}


def rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(FILE.read_text())["groups"]
    return list(group["rules"])


@pytest.fixture
def exported(client) -> dict[str, set[str]]:
    """Return every metric that the application exports, with its labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_each_alert_is_complete():
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) > 15
    for rule in rules():
        assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_each_expression_is_of_metrics_and_labels_that_exist(exported):
    for rule in rules():
        bare = re.sub(r"\{.*?\}|\[.*?\]|(by|without) \(\w+\)", "", rule["expr"])
        named = set(re.findall(r"\b[a-z]\w*", bare)) - WORDS
        assert named and named <= exported.keys(), rule["alert"]
        for metric, matchers in re.findall(r"(\w+)\{(.*?)\}", rule["expr"]):
            for label, value in re.findall(r'(\w+)="(.*?)"', matchers):
                assert label in exported[metric] | TARGET and value in VALUES[label], rule["alert"]
        for labels in re.findall(r"(?:by|without) \((\w+)\)", rule["expr"]):
            assert {labels} <= set.union(TARGET, *(exported[name] for name in metrics_of(rule))), rule["alert"]
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert label in set.union(TARGET, *(exported[name] for name in metrics_of(rule))), rule["alert"]


@pytest.mark.skipif(
    sys.platform != "linux", reason=f"NOT TESTED: metrics of the process are not told on {sys.platform}"
)
def test_each_metric_has_its_alerts_and_what_to_do(exported):
    """Whoever is woken by an alert looks here; whoever sees a metric, too."""
    rows = table(read("docs/operations.md"), "| metric | alert | what to do |")
    assert_same((f"`{name}`" for name in exported), (row[0] for row in rows), "docs/operations.md, table of alerts")
    explained = {(alert, row[0].strip("`")) for row in rows for alert in re.findall(r"`(\w+)`", row[1])}
    assert_same(
        (alert for alert, _ in explained), (rule["alert"] for rule in rules()), "docs/operations.md, table of alerts"
    )
    metrics = {rule["alert"]: metrics_of(rule) for rule in rules()}
    assert not [(alert, metric) for alert, metric in explained if metric not in metrics[alert]]
    assert not [row[0] for row in rows if len(row[2]) < 20], "say what to do"


def metrics_of(rule: dict[str, Any]) -> set[str]:
    return set(re.findall(r"\b(?:product_importer|process|python)_\w+", rule["expr"]))


def test_there_is_a_case_for_each_alert():
    assert [rule["alert"] for rule in rules()] == list(CASES)


@needs_promtool
@pytest.mark.processes
def test_each_alert_fires_when_it_should_and_not_before(tmp_path):
    tests: list[dict[str, Any]] = [
        {
            "interval": "1m",
            "input_series": [dict(zip(("series", "values"), split(series), strict=True)) for series in given],
            "promql_expr_test": [
                {
                    "expr": f'count(count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}}))',
                    "eval_time": "88m" if alert != "CatalogueShrinks" else "1500m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for alert, case in CASES.items()
        for fires, given in ((True, case.fires), (False, case.quiet))
    ]
    done = promtool(tmp_path, {"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": tests})
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = [test | {"promql_expr_test": [test["promql_expr_test"][0] | {"exp_samples": []}]} for test in tests[:1]]
    done = promtool(tmp_path, {"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": wrong})
    assert done.returncode != 0, "promtool does not compare"


def promtool(folder: Path, content: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / "test.yml").write_text(yaml.safe_dump(content))
    command = [str(PROMTOOL), "test", "rules", str(folder / "test.yml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def split(series: str) -> tuple[str, str]:
    """Part a series from its values: the labels hold spaces, too."""
    name, labels, values = re.fullmatch(r"(\w+)(\{.*\})? (.*)", series).groups()
    return name + (labels or ""), values


@needs_promtool
@pytest.mark.processes
def test_prometheus_accepts_the_file():
    done = subprocess.run([str(PROMTOOL), "check", "rules", str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"{len(rules())} rules found" in done.stdout, done.stdout + done.stderr
