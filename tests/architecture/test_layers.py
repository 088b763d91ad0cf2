"""Who may know whom."""

import sys

import pytest

from tests.architecture.source import imports, modules

SERVICES = ("intake", "routing", "notifications")
PURE = {"pydantic", "yaml", "orjson", "holidays"}
IMPURE = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "time", "http", "urllib"}
VALUES = {
    "shared.clock": {"HELSINKI"},
    "shared.inbox": {"Incoming", "Raw", "Unreadable"},
    "shared.store": {"Outgoing"},
}
"""Values of the plumbing that a domain may speak of; nothing that does something."""

DOMAINS = {
    name: tree
    for name, tree in modules("services").items()
    if "/domain/" in name or name.endswith("/domain.py")
}


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_knows_only_values(name: str) -> None:
    service = name.split("/")[1]

    for module, imported in imports(DOMAINS[name]):
        package = module.partition(".")[0]
        full = f"{module}.{imported}"
        assert (
            (package in sys.stdlib_module_names and package not in IMPURE)
            or package in PURE
            or "shared.events" in (module, full)
            or "shared.kinds" in (module, full)
            or module == "shared.absence"
            or "shared.hetu" in (module, full)
            or "shared.clients" in (module, full)
            or "shared.directory" in (module, full)
            or module.startswith(f"services.{service}.domain")
            or imported in VALUES.get(module, set())
        ), f"{name} imports {full}"


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_knows_another(service: str) -> None:
    others = tuple(f"services.{other}" for other in SERVICES if other != service)

    for name, tree in modules(f"services/{service}").items():
        known = [module for module, _ in imports(tree) if module.startswith(others)]
        assert [] == known, name


def test_the_plumbing_knows_no_service_and_nothing_of_deployment() -> None:
    for name, tree in modules("shared").items():
        known = [m for m, _ in imports(tree) if m.startswith(("services", "deploy", "tests"))]
        assert [] == known, name


def test_services_know_nothing_of_deployment_or_tests() -> None:
    for name, tree in modules("services").items():
        known = [m for m, _ in imports(tree) if m.startswith(("deploy", "tests"))]
        assert [] == known, name


def test_acknowledgements_are_known_in_one_file_only() -> None:
    for name, tree in modules("services", "shared").items():
        if name != "shared/bus.py":
            assert ("faststream", "AckPolicy") not in set(imports(tree)), name
