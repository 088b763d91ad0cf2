"""compose.yaml, the image and the Kubernetes manifests agree with the code they run."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy.cli.settings import CommandSettings
from deploy.container.make_secrets import make_secrets
from deploy.container.run import environment
from deploy.local.kafka.node import PROPERTIES
from deploy.local.system import APPS
from deploy.sample.settings import SampleSettings
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationSettings
from services.routing.settings import RoutingSettings
from shared.events import PARTITIONS
from shared.settings import MigrationSettings, TopicSettings
from shared.topics import topic_settings
from tests.architecture.source import ROOT, imports, modules

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SETTINGS: dict[str, type[BaseSettings]] = {
    "intake": IntakeSettings,
    "routing": RoutingSettings,
    "desk": RoutingSettings,
    "notifications": NotificationSettings,
    "migrate": MigrationSettings,
    "topics": TopicSettings,
}
COMPOSED = SETTINGS | {"sample-workers": SampleSettings}
PORTS = {"desk": 8100} | {
    name: int(getattr(CommandSettings(), f"{name}_url").rpartition(":")[2])
    for name in ("intake", "routing", "notifications")
}
"""As the demo and `luotsi where` have them."""

MANIFESTS = [
    document
    for file in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    if file.name != "kustomization.yaml"
    for document in yaml.safe_load_all(file.read_text())
]
CONTAINERS = {
    manifest["metadata"]["name"]: (
        manifest["spec"]["template"]["spec"],
        manifest["spec"]["template"]["spec"]["containers"][0],
    )
    for manifest in MANIFESTS
    if manifest["kind"] in ("Deployment", "Job")
}


def without_choices(value: Any) -> str:
    """`${NAME:-default}` as it is when nobody chose anything."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def accepted(
    kind: type[BaseSettings], given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> BaseSettings:
    """The settings by this environment; fails on a name that no setting has."""
    names = {f"LUOTSI_{name.upper()}" for name in kind.model_fields}
    assert set() == set(given) - names
    for name in [name for name in os.environ if name.startswith("LUOTSI_")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return kind()


# --- compose -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    make_secrets(folder)
    return folder


def secret_file(name: str, folder: Path) -> Path:
    return folder / Path(COMPOSE["secrets"][name]["file"]).name


@pytest.mark.parametrize("name", COMPOSED)
def test_the_settings_classes_take_what_compose_gives(
    name: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = SERVICES[name]
    targets = {s["target"]: secret_file(s["source"], secrets) for s in service.get("secrets", ())}
    given = {
        variable: without_choices("taken from outside" if value is None else value)
        for variable, value in service.get("environment", {}).items()
    } | {
        target: file.read_text() for target, file in targets.items() if target.startswith("LUOTSI_")
    }

    settings = accepted(COMPOSED[name], given, monkeypatch)

    for setting in ("key_file", "tokens_file"):
        path = getattr(settings, setting, None)
        if path is not None:
            assert Path("/run/secrets") == path.parent
            assert path.name in targets


def test_every_secret_of_compose_is_made_and_is_a_file_readable_in_the_container(
    secrets: Path,
) -> None:
    for name in COMPOSE["secrets"]:
        file = secret_file(name, secrets)
        assert file.read_text()
        assert 0o444 == file.stat().st_mode & 0o777
    assert 0o700 == secrets.stat().st_mode & 0o777


def test_a_folder_of_an_earlier_version_gets_only_what_it_lacks(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    (tmp_path / "smtp_password").unlink()

    make_secrets(tmp_path)

    assert before == {file.name: file.read_bytes() for file in tmp_path.iterdir()}


def test_secrets_that_exist_are_not_made_anew(secrets: Path) -> None:
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}

    make_secrets(secrets)

    assert before == {file.name: file.read_bytes() for file in secrets.iterdir()}


@pytest.mark.parametrize("name", APPS)
def test_compose_runs_the_factories_on_the_ports_of_the_demo(name: str) -> None:
    service = SERVICES[name]
    command = [str(word) for word in service["command"]]
    port = str(PORTS[name])

    assert APPS[name][1] == command[command.index("--factory") + 1]
    assert port == command[command.index("--port") + 1]
    assert [f"127.0.0.1:{port}:{port}"] == [without_choices(p) for p in service["ports"]]
    assert f"127.0.0.1:{port}/ready" in service["healthcheck"]["test"][-1]


def test_prometheus_scrapes_these_services_on_these_ports() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    scraped = {
        found["names"][0]: found["port"]
        for job in config["scrape_configs"]
        for found in job["dns_sd_configs"]
    }

    assert PORTS == scraped


def test_every_port_is_open_to_this_machine_only() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


@pytest.mark.parametrize("name", COMPOSED)
def test_our_containers_may_do_nothing_they_need_not(name: str) -> None:
    service = SERVICES[name]

    assert service["user"].partition(":")[0].isdigit()
    assert "0" != service["user"].partition(":")[0]
    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert "privileged" not in service
    assert "container_name" not in service, "two of it could not run"


def test_images_are_named_with_their_version() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d+", service["image"]), name


def test_kafka_in_a_container_is_set_as_the_local_node() -> None:
    given = SERVICES["kafka"]["environment"]
    local = dict(line.split("=", 1) for line in PROPERTIES.splitlines() if "=" in line)
    places = {"listeners", "advertised", "log.dirs", "node.id", "listener", "inter", "controller"}
    common = {
        prop: str(given[name])
        for prop in local
        if (name := "KAFKA_" + prop.upper().replace(".", "_")) in given
        and not prop.startswith(tuple(places))
    }

    assert common == {prop: local[prop] for prop in common}
    assert {"auto.create.topics.enable", "log.retention.ms", "message.max.bytes"} <= set(common)
    assert PARTITIONS == given["KAFKA_NUM_PARTITIONS"]
    assert topic_settings("any", 1)["max.message.bytes"] == str(given["KAFKA_MESSAGE_MAX_BYTES"])
    assert "luotsi" in SERVICES["topics"]["image"]
    assert "shared.topics" in SERVICES["topics"]["command"]


def test_every_file_that_compose_mounts_is_there() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).exists(), f"{name}: {source}"


def test_compose_is_what_the_reference_parser_takes() -> None:
    folder = ROOT / "deploy" / "compose_check"
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is missing: compose.yaml is not read by the reference parser")
    fetched = subprocess.run(
        [go, "mod", "download"], cwd=folder, check=False, capture_output=True, timeout=300
    )
    if fetched.returncode:
        pytest.skip("the reference parser cannot be fetched: compose.yaml is not read by it")

    read = subprocess.run(
        [go, "run", ".", str(ROOT / "compose.yaml")],
        cwd=folder, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip

    assert 0 == read.returncode, read.stderr
    assert set(SERVICES) == set(yaml.safe_load(read.stdout)["services"])


# --- image ---------------------------------------------------------------------------------------


def test_the_image_is_made_of_what_is_here_and_runs_as_nobody_special() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    let_in = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()

    assert [] == [source for source in copied if not (ROOT / source).exists()]
    assert set(copied) == {line[1:] for line in let_in if line.startswith("!")}
    assert ["10001:10001"] == re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert "--require-hashes" in text


def test_the_image_holds_what_its_programs_import() -> None:
    within = {
        "shared": ("shared",),
        "services": ("shared", "services"),
        "deploy/container": ("shared", "deploy.container"),
        "deploy/sample": ("shared", "services", "deploy.sample"),
    }
    for folder, known in within.items():
        for name, tree in modules(folder).items():
            for module, _ in imports(tree):
                ours = module.partition(".")[0] in ("shared", "services", "deploy", "tests")
                assert not ours or module.startswith(known), f"{name} imports {module}"


def test_sample_workers_may_log_in_where_the_desk_lets_them_and_nowhere_else() -> None:
    workers, desk = SERVICES["sample-workers"], SERVICES["desk"]

    assert "false" == without_choices(desk["environment"]["LUOTSI_DEMO"])
    assert desk["environment"]["LUOTSI_DEMO"] == workers["environment"]["LUOTSI_DEMO"]
    assert {"condition": "service_completed_successfully"} == desk["depends_on"]["sample-workers"]
    assert set(SERVICES["routing"]["depends_on"]) < set(desk["depends_on"])
    assert not any("sample" in str(container["args"]) for _, container in CONTAINERS.values())


def test_secrets_become_variables_and_do_not_replace_those_that_are_set(tmp_path: Path) -> None:
    (tmp_path / "LUOTSI_DATABASE_URL").write_text("postgresql://secret\n")
    (tmp_path / "LUOTSI_INTAKE_TOKEN").write_text("from the file")
    (tmp_path / "keys.json").write_text("{}")

    assert {
        "LUOTSI_DATABASE_URL": "postgresql://secret",
        "LUOTSI_INTAKE_TOKEN": "chosen",
    } == environment({"LUOTSI_INTAKE_TOKEN": "chosen"}, tmp_path)


def test_without_secrets_the_environment_stays_as_it_is(tmp_path: Path) -> None:
    assert {"A": "b"} == environment({"A": "b"}, tmp_path / "none")


# --- Kubernetes ----------------------------------------------------------------------------------


def named(kind: str, name: str) -> Any:
    return next(m for m in MANIFESTS if m["kind"] == kind and m["metadata"]["name"] == name)


def given_to(container: Any) -> dict[str, str]:
    """The variables of a container, all of its secrets by the template's values."""
    given: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        given |= named("ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", ()):
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        if reference is None:
            given[variable["name"]] = variable["value"]
        else:
            secret = named("Secret", reference["name"])
            given[variable["name"]] = secret["stringData"][reference["key"]]
    return given


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_classes_take_what_kubernetes_gives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted(SETTINGS[name], given_to(CONTAINERS[name][1]), monkeypatch)


@pytest.mark.parametrize("name", SETTINGS)
def test_our_pods_suit_the_restricted_profile(name: str) -> None:
    pod, container = CONTAINERS[name]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert "RuntimeDefault" == pod["securityContext"]["seccompProfile"]["type"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", APPS)
def test_kubernetes_runs_the_factories_on_the_same_ports(name: str) -> None:
    pod, container = CONTAINERS[name]
    words = container["args"]

    assert APPS[name][1] == words[words.index("--factory") + 1]
    assert str(PORTS[name]) == words[words.index("--port") + 1]
    assert PORTS[name] == container["ports"][0]["containerPort"]
    assert PORTS[name] == named("Service", name)["spec"]["ports"][0]["port"]
    assert "/alive" == container["livenessProbe"]["httpGet"]["path"]
    assert "/ready" == container["readinessProbe"]["httpGet"]["path"]
    assert pod["terminationGracePeriodSeconds"] > int(words[-1])
    assert {"app.kubernetes.io/name": name} == named("PodDisruptionBudget", name)["spec"][
        "selector"
    ]["matchLabels"]


def test_every_pod_of_ours_may_talk_to_nothing_that_is_not_named() -> None:
    closed = named("NetworkPolicy", "nothing-else")["spec"]

    assert {} == closed["podSelector"]
    assert {"Ingress", "Egress"} == set(closed["policyTypes"])


def test_the_template_names_every_secret_that_is_used_and_no_other() -> None:
    used = set()
    for pod, container in CONTAINERS.values():
        for variable in container.get("env", ()):
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                used.add((reference["name"], reference["key"]))
        for volume in pod.get("volumes", ()):
            if secret := volume.get("secret"):
                used |= {(secret["secretName"], item["key"]) for item in secret["items"]}

    assert used == {
        (manifest["metadata"]["name"], key)
        for manifest in MANIFESTS
        if manifest["kind"] == "Secret"
        for key in manifest["stringData"]
    }


def test_a_prometheus_in_the_cluster_names_its_jobs_as_the_alerts_do() -> None:
    file = ROOT / "deploy/kubernetes/prometheus/scrape.yml"
    (job,) = yaml.safe_load(file.read_text())["scrape_configs"]
    (name,) = [r for r in job["relabel_configs"] if r.get("target_label") == "job"]
    services = [m for m in MANIFESTS if m["kind"] == "Deployment"]
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text()

    assert ["__meta_kubernetes_pod_label_app_kubernetes_io_name"] == name["source_labels"]
    assert set(re.findall(r'job="([^"]+)"', alerts)) == {
        name["replacement"].replace("$1", pod["metadata"]["labels"]["app.kubernetes.io/name"])
        for pod in (m["spec"]["template"] for m in services)
    }
    for manifest in services:
        pod, (_, container) = manifest["spec"]["template"], CONTAINERS[manifest["metadata"]["name"]]
        notes = pod["metadata"]["annotations"]
        assert "true" == notes["prometheus.io/scrape"]
        assert str(container["ports"][0]["containerPort"]) == notes["prometheus.io/port"]
        assert "luotsi" == pod["metadata"]["labels"]["app.kubernetes.io/part-of"]


def test_prometheus_takes_the_way_jobs_are_named_in_the_cluster(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: the scraping of the cluster is not read by it")
    config = yaml.safe_load((ROOT / "deploy/kubernetes/prometheus/scrape.yml").read_text())
    # Debian's promtool is built without Kubernetes' discovery; everything else it reads.
    del config["scrape_configs"][0]["kubernetes_sd_configs"]
    (tmp_path / "scrape.yml").write_text(yaml.safe_dump(config))

    read = subprocess.run(
        [promtool, "check", "config", "scrape.yml"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert 0 == read.returncode, read.stdout + read.stderr


def test_kustomize_lists_every_manifest_but_the_template_of_secrets() -> None:
    folder = ROOT / "deploy" / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    here = {file.name for file in folder.glob("*.yaml")}

    assert here - {"kustomization.yaml", "secrets.template.yaml"} == set(listed)
