"""The Kubernetes manifests agree with each other, with the image, and with the application."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from product_importer.api import api
from product_importer.commands.cli import cli
from product_importer.core.settings import Settings
from tests.docs.documents import ROOT, blocks, read
from tests.test_container import environment, values

FOLDER = ROOT / "deploy" / "kubernetes"
NAME = "product-importer"
SETTINGS = {name.upper() for name in Settings.model_fields}
# Variables of the object store.
OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
# What each kind is served as by every supported version of Kubernetes.
VERSIONS = {
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Ingress": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
}
COMPONENTS = ("web", "worker", "webhooks", "migrate")
KUBECTL, VALIDATE = shutil.which("kubectl"), shutil.which("kubernetes-validate")


def kustomization() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "kustomization.yaml").read_text())


def documents(*names: str) -> Iterator[dict[str, Any]]:
    for name in names or (*kustomization()["resources"], "secret.example.yaml", "ingress.example.yaml"):
        yield from yaml.safe_load_all((FOLDER / name).read_text())


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [found for found in documents() if found["kind"] in kinds]


def pods() -> dict[str, dict[str, Any]]:
    """Return the template of each component's pods."""
    templates = [found["spec"]["template"] for found in of_kind("Deployment", "Job")]
    return {template["metadata"]["labels"]["app.kubernetes.io/component"]: template for template in templates}


def container(component: str) -> dict[str, Any]:
    [only] = pods()[component]["spec"]["containers"]
    return only


def test_every_file_is_applied_but_the_examples():
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"}
    assert files - set(kustomization()["resources"]) == {"secret.example.yaml", "ingress.example.yaml"}
    assert kustomization()["namespace"] == NAME == of_kind("Namespace")[0]["metadata"]["name"]
    for found in documents("secret.example.yaml", "ingress.example.yaml"):
        assert found["metadata"]["namespace"] == NAME


def test_kinds_versions_and_names():
    found = [(item["kind"], item["metadata"]["name"]) for item in documents()]
    assert len(set(found)) == len(found)
    for item in documents():
        assert item["apiVersion"] == VERSIONS[item["kind"]]
        assert item["metadata"]["name"] == NAME or item["metadata"]["name"].startswith(f"{NAME}-")


def test_selectors_find_the_pods_of_their_component():
    assert pods().keys() == set(COMPONENTS)
    for found in of_kind("Deployment"):
        assert found["spec"]["selector"]["matchLabels"] == found["spec"]["template"]["metadata"]["labels"]
    labels = [template["metadata"]["labels"] for template in pods().values()]
    budgets = {item["metadata"]["name"]: item["spec"] for item in of_kind("PodDisruptionBudget")}
    for name, spec in budgets.items():
        component = name.removeprefix(f"{NAME}-")
        assert spec["selector"]["matchLabels"] == pods()[component]["metadata"]["labels"]
        [replicas] = [one["spec"]["replicas"] for one in of_kind("Deployment") if one["metadata"]["name"] == name]
        assert spec["minAvailable"] < replicas, "no node could ever be drained"
    for service in of_kind("Service"):
        assert [one for one in labels if service["spec"]["selector"].items() <= one.items()] == [
            pods()["web"]["metadata"]["labels"]
        ]


def test_commands_exist():
    for component, words in (
        ("web", ["web"]),
        ("worker", ["worker"]),
        ("webhooks", ["worker", "--queue", "webhooks"]),
        ("migrate", ["migrate"]),
    ):
        command = container(component)["command"]
        assert command == ["python", "-m", "product_importer", *words] and words[0] in cli.commands
    for component in ("worker", "webhooks"):
        assert container(component)["readinessProbe"]["exec"]["command"][3:] == ["doctor"]


def test_every_variable_is_a_setting_and_secrets_are_in_the_secret():
    [public], [secret] = of_kind("ConfigMap"), of_kind("Secret")
    assert public["data"].keys() <= SETTINGS and secret["stringData"].keys() <= SETTINGS | OTHERS
    hidden = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
    assert hidden <= secret["stringData"].keys() and not hidden & public["data"].keys()
    assert not secret["stringData"]["SECRET_KEY"]
    for component in COMPONENTS:
        given = container(component)["envFrom"]
        assert given == [{"configMapRef": {"name": NAME}}, {"secretRef": {"name": NAME}}] and "env" not in container(
            component
        )
    together = environment() | public["data"] | secret["stringData"] | {"SECRET_KEY": "0" * 64}
    known = {name.lower(): value for name, value in together.items() if name in SETTINGS}
    accepted = Settings(_env_file=None, **known)
    assert accepted.signs_in and accepted.uploads.startswith("s3://")


def test_ports_and_probes():
    web = container("web")
    [port] = web["ports"]
    assert str(port["containerPort"]) == environment()["PORT"]
    [service, _], [ingress] = of_kind("Service"), of_kind("Ingress")
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    [rule] = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    assert rule["host"] in of_kind("ConfigMap")[0]["data"]["ALLOWED_HOSTS"].split(",")
    assert f"https://{rule['host']}" == of_kind("ConfigMap")[0]["data"]["PUBLIC_URL"]
    asked = {name: web[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: probe["path"] for name, probe in asked.items()} == {
        "startupProbe": "/api/health",
        "livenessProbe": "/api/health",
        "readinessProbe": "/api/ready",
    }
    for probe in asked.values():
        assert probe["port"] == port["name"] and "get" in api.openapi()["paths"][probe["path"]]


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_pod_is_no_root_has_no_rights_and_writes_to_its_volumes_only(component):
    spec, only = pods()[component]["spec"], container(component)
    account = values("RUN")[-1]
    assert f"--uid {spec['securityContext']['runAsUser']} " in account
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["fsGroup"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not spec["automountServiceAccountToken"] and not spec["enableServiceLinks"]
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["limits"]["memory"] and only["resources"]["requests"].keys() == {"cpu", "memory"}
    mounted = {mount["name"]: mount["mountPath"] for mount in only["volumeMounts"]}
    # As tests/deploy/box.sh, in which the application runs.
    writable = {"data": environment()["DATA_DIR"], "tmp": "/tmp"}
    assert mounted == writable | ({"notes": "/app/.web/backend"} if component == "web" else {})
    assert {volume["name"] for volume in spec["volumes"]} == mounted.keys()
    assert all(volume["emptyDir"]["sizeLimit"] for volume in spec["volumes"])


def test_prometheus_finds_each_web_process():
    """The metrics of processes are those of one pod, and of one that is not ready they say why."""
    [service] = [found for found in of_kind("Service") if found["spec"].get("clusterIP") == "None"]
    assert service["spec"]["publishNotReadyAddresses"] and "sessionAffinity" not in service["spec"]
    [documented] = [block for block in blocks(read("docs/operations.md"), "yaml") if "scrape_configs" in block]
    [scraped] = yaml.safe_load(documented)["scrape_configs"]
    [port] = container("web")["ports"]
    assert scraped["dns_sd_configs"] == [
        {"names": [f"{service['metadata']['name']}.{NAME}.svc"], "type": "A", "port": port["containerPort"]}
    ]
    assert (scraped["job_name"], scraped["authorization"].keys()) == (NAME, {"credentials_file"})


def test_all_pods_have_the_image_that_kustomization_names():
    [image] = kustomization()["images"]
    assert {container(component)["image"] for component in COMPONENTS} == {image["name"]}


def test_the_document_applies_these_files():
    text = read("docs/operations.md")
    assert "kubectl apply -k deploy/kubernetes" in text and "deploy/kubernetes/secret.example.yaml" in text
    [job] = of_kind("Job")
    assert f"kubectl delete job {job['metadata']['name']}" in text


@pytest.mark.skipif(
    KUBECTL is None, reason="NOT TESTED: whether kustomize accepts its file needs kubectl on the PATH"
)
@pytest.mark.processes
def test_kustomize_makes_one_namespace_and_one_image_of_it():
    done = subprocess.run([str(KUBECTL), "kustomize", str(FOLDER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    assert len(made) == len(list(documents(*kustomization()["resources"])))
    assert {item["metadata"].get("namespace", NAME) for item in made} == {NAME}
    [image] = kustomization()["images"]
    assert done.stdout.count(f"image: {image['newName']}:{image['newTag']}\n") == len(COMPONENTS)


@pytest.mark.skipif(
    VALIDATE is None, reason="NOT TESTED: the schemas of Kubernetes need: pip install kubernetes-validate"
)
@pytest.mark.processes
@pytest.mark.parametrize("version", ["1.25", "1.34"])
def test_the_schemas_of_kubernetes_accept_each_file(version, tmp_path):
    files = [FOLDER / name for name in kustomization()["resources"]]
    files += [FOLDER / "secret.example.yaml", FOLDER / "ingress.example.yaml"]
    assert validated(version, *files).returncode == 0
    wrong = tmp_path / "web.yaml"
    wrong.write_text((FOLDER / "web.yaml").read_text().replace("replicas: 2", "replicas: two"))
    assert validated(version, wrong).returncode != 0


def validated(version: str, *files: Any) -> subprocess.CompletedProcess[str]:
    command = [str(VALIDATE), "--kubernetes-version", version, "--strict", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
