"""What is in deploy/, as far as it can be judged without an engine that would run it."""

import json
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import kubernetes_validate
import pytest
import yaml

from taskwell.settings import Settings

DEPLOY = Path(__file__).parents[1] / "deploy"
MANIFESTS = sorted(DEPLOY.glob("kubernetes/*.yaml"))
SETTINGS = {name.upper() for name in Settings.model_fields}
NOT_OURS = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "POSTGRES_PASSWORD"}
UNITS = sorted(DEPLOY.glob("systemd/*.service"))


def documents(*kinds: str) -> list[dict[str, Any]]:
    """Those of the manifests; of some kinds, if they are named."""
    every = [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text())]
    return [each for each in every if not kinds or each["kind"] in kinds]


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def names_in(text: str) -> set[str]:
    return set(re.findall(r"^([A-Z][A-Z_]+)=", text, re.MULTILINE))


def test_the_dockerfile_has_no_fault_that_hadolint_knows():
    hadolint = Path(sys.executable).parent / "hadolint"
    judged = subprocess.run(
        [str(hadolint), "--failure-threshold", "style", str(DEPLOY / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize(
    "path", [path for path in MANIFESTS if path.name != "kustomization.yaml"], ids=lambda p: p.name
)
def test_kubernetes_would_take_every_manifest(path: Path):
    for document in yaml.safe_load_all(path.read_text()):
        for version in ("1.32", "1.37"):
            kubernetes_validate.validate(document, version, strict=True)
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(document | {"specification": {}}, "1.37", strict=True)


def test_everything_named_in_a_manifest_is_there():
    held = {path.name for path in MANIFESTS}
    (kustomization,) = documents("Kustomization")
    assert {*kustomization["resources"], "migrate.yaml", "secret.example.yaml", "kustomization.yaml"} == held

    settings = {f"{each['kind']}/{each['metadata']['name']}" for each in documents("ConfigMap", "Secret")}
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in documents("Deployment")]
    for container in containers():
        assert [
            f"{kind[:-3]}/{ref['name']}".replace("configMap", "ConfigMap").replace("secret", "Secret")
            for each in container["envFrom"]
            for kind, ref in each.items()
        ] == sorted(settings)
    for each in documents("Service", "PodDisruptionBudget", "Deployment"):
        wanted = each["spec"]["selector"].get("matchLabels", each["spec"]["selector"])
        assert sum(wanted.items() <= of_pods.items() for of_pods in labels) == 1


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in documents("Deployment", "Job")]


def containers() -> list[dict[str, Any]]:
    return [container for pod in pods() for container in pod["containers"]]


def test_no_pod_is_root_or_may_write_to_its_image():
    user = int(re.findall(r"^USER (\d+):", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[0])
    for pod in pods():
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, user)
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
    for container in containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
    assert len({container["image"] for container in containers()}) == 1


def test_a_rolling_update_takes_nobody_away_before_another_is_ready():
    (api,) = (each for each in documents("Deployment") if each["metadata"]["name"] == "taskwell-api")
    pod = api["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (settings,) = documents("ConfigMap")

    assert api["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    assert pod["terminationGracePeriodSeconds"] >= 45 + float(settings["data"]["DRAIN_DELAY_SECONDS"])


def test_every_way_of_running_it_waits_as_long_as_the_guide_says():
    guide = (DEPLOY.parent / "docs" / "operating.md").read_text()
    (seconds,) = set(re.findall(r"(?:TimeoutStopSec=|GracePeriodSeconds: )(\d+)", guide))
    units = [unit.read_text() for unit in UNITS if unit.name != "taskwell-migrate.service"]

    assert f"stop_grace_period: {seconds}s" in guide
    assert {each["stop_grace_period"] for each in compose()["services"].values() if "build" in each} == {
        f"{seconds}s"
    }
    assert {re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[0] for text in units} == {seconds}
    for each in documents("Deployment"):
        assert str(each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]) == seconds


def test_every_variable_that_is_set_is_a_setting():
    services = compose()["services"].values()
    set_here = {
        "Dockerfile": set(re.findall(r"^(?:ENV|   ) +([A-Z_]+)=", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
        - {"UV_COMPILE_BYTECODE"},
        "compose.yaml": {name for each in services if "build" in each for name in each["environment"]},
        "kubernetes": {name for each in documents("ConfigMap") for name in each["data"]}
        | {name for each in documents("Secret") for name in each["stringData"]},
        "examples": {name for path in DEPLOY.rglob("*.env.example") for name in names_in(path.read_text())},
    }
    for place, names in set_here.items():
        assert names, place
        assert names <= SETTINGS | NOT_OURS, place


def test_compose_knows_every_key_of_the_file():
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    judge = jsonschema_rs.validator_for(json.loads(schema.read_text()))
    held = compose()

    judge.validate(held)

    held["services"]["api"]["helthcheck"] = {}
    with pytest.raises(jsonschema_rs.ValidationError):
        judge.validate(held)


def test_compose_migrates_once_before_it_serves():
    services = compose()["services"]

    for name in ("api", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert (services["migrate"]["command"], services["migrate"]["restart"]) == (["migrate"], "no")
    for name in ("migrate", "api", "worker"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    for name in ("postgres", "redis"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"
        assert "ports" not in services[name], "nobody outside asks the database"


def test_every_way_of_running_a_worker_asks_whether_it_lives():
    service = compose()["services"]["worker"]
    address = f"http://127.0.0.1:{service['environment']['WORKER_METRICS_PORT']}/health/live"
    assert address in service["healthcheck"]["test"][-1]
    pod = next(yaml.safe_load_all((DEPLOY / "kubernetes" / "worker.yaml").read_text()))["spec"]["template"]["spec"]
    probes = {kind: pod["containers"][0][f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")}
    assert probes == {"liveness": "/health/live", "readiness": "/health/ready"}
    unit = (DEPLOY / "systemd" / "taskwell-worker.service").read_text()
    assert re.search(r"^NotifyAccess=main\nWatchdogSec=\d+$", unit, re.MULTILINE)


def test_no_secret_has_a_value():
    text = "".join(path.read_text() for path in DEPLOY.rglob("*") if path.suffix in {".example", ".yaml"})

    assert "POSTGRES_PASSWORD:?" in text
    assert not re.findall(
        r"^\s*(?:SECRET_KEY|POSTGRES_PASSWORD|METRICS_TOKEN)[:=][ \t]*[\"']?[\w-]", text, re.MULTILINE
    )


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """The units as systemd reads them on a machine where Taskwell is installed."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on PATH")
    for unit in UNITS:
        installed = unit.read_text().replace("/opt/taskwell/bin/taskwell", "/bin/true")
        (tmp_path / unit.name).write_text(installed)
    return [str(tmp_path / unit.name) for unit in UNITS]


def analyzed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_systemd_understands_every_line_of_the_units(units: list[str], tmp_path: Path):
    judged = analyzed("verify", "--man=no", "--recursive-errors=no", *units)
    assert (judged.returncode, judged.stdout + judged.stderr) == (0, "")

    wrong = tmp_path / "wrong.service"
    wrong.write_text(Path(units[0]).read_text().replace("ProtectHome=yes", "ProtectHouse=yes"))
    assert "ProtectHouse" in analyzed("verify", "--man=no", "--recursive-errors=no", str(wrong)).stderr


def test_the_command_has_what_the_service_has():
    command = (DEPLOY / "systemd" / "taskwell").read_text()
    service = (DEPLOY / "systemd" / "taskwell.service").read_text()
    held = re.findall(r"--property=(\S+)", command)

    assert {name.partition("=")[0] for name in held} >= {"User", "DynamicUser", "EnvironmentFile", "WorkingDirectory"}
    for line in (*held, f"ExecStart={command.split()[-2]} serve"):
        assert re.search(rf"^{re.escape(line)}\b", service, re.MULTILINE), line


def test_the_units_expose_little(units: list[str]):
    judged = analyzed("security", "--offline=yes", "--threshold=20", "--no-pager", *units)
    assert judged.returncode == 0, judged.stdout


def test_a_unit_migrates_before_and_waits_for_the_end():
    for unit in UNITS:
        text = unit.read_text()
        if unit.name == "taskwell-migrate.service":
            assert "Type=oneshot" in text
            continue
        assert "Requires=taskwell-migrate.service" in text
        (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
        assert int(stop) >= 45
