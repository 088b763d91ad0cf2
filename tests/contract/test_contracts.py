import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft7Validator, Draft202012Validator

from services.intake.domain import refusals
from shared import contract, events
from shared.contract import CHANNELS, EXAMPLES, SCHEMAS, asyncapi, event_schemas
from shared.events import Language
from shared.kinds import KINDS
from tests.contract import apps
from tests.contract.generate import (
    ERRORS,
    HERE,
    OPEN_MATTER,
    contracts,
    errors,
    open_matter,
    text_of,
)
from tests.contract.tables import PAGES, tables_page

CHECKED_IN = contracts()
OFFICIAL = HERE / "asyncapi-3.0.0.schema.json"


@pytest.mark.parametrize("name", CHECKED_IN)
def test_the_checked_in_contract_is_as_the_code_has_it(name: str) -> None:
    file = HERE / name

    assert file.exists(), "run `make contracts` and read the diff"
    assert text_of(CHECKED_IN[name]) == file.read_text(encoding="utf-8"), "run `make contracts`"


def test_nothing_is_checked_in_that_the_code_does_not_have() -> None:
    written = {str(file.relative_to(HERE)) for file in HERE.glob("schemas/*.json")}
    written |= {file.name for file in HERE.glob("*api*.json")} - {OFFICIAL.name}

    assert set(CHECKED_IN) == written


def test_the_error_catalogue_is_as_the_code_has_it() -> None:
    assert errors() == ERRORS.read_text(encoding="utf-8"), "run `make contracts`"


@pytest.mark.parametrize("language", PAGES)
def test_the_rules_in_words_are_those_that_are_shipped(language: Language) -> None:
    assert tables_page(language) == PAGES[language].read_text("utf-8"), "run `make contracts`"


def test_the_schema_of_an_open_matter_is_that_of_its_model() -> None:
    assert open_matter() == OPEN_MATTER.read_text(encoding="utf-8"), "run `make contracts`"


def test_the_error_catalogue_leaves_no_reason_out_and_none_has_two_entries() -> None:
    made = {name: each for name, each in vars(refusals).items() if name.isupper()}
    told = [*refusals.REFUSALS, *refusals.ATTACHMENT_REFUSALS]
    reasons = [each.reason for each in told]

    assert {each for each in made.values() if isinstance(each, refusals.Refusal)} == set(told)
    assert sorted(set(reasons)) == sorted(reasons)


def test_the_asyncapi_document_is_valid_by_the_official_schema() -> None:
    official = json.loads(OFFICIAL.read_bytes())

    Draft7Validator(official).validate(asyncapi())


@pytest.mark.parametrize("name", [name for name in CHECKED_IN if "schemas/" not in name])
def test_every_reference_of_a_document_leads_somewhere(name: str) -> None:
    document = CHECKED_IN[name]

    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found = document
        for part in reference.split("/"):
            found = found[part]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_event_schema_is_a_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(event_schemas()[name])


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((kind.name, kind.model) for kind in KINDS),
        ("correction", events.Notification),
        ("receipt", events.Receipt),
    ],
)
def test_the_example_is_accepted_by_the_model_and_by_the_schema(name: str, model: Any) -> None:
    example = (EXAMPLES / f"{name}.json").read_bytes()

    model.model_validate_json(example)
    schema = "notification" if name == "correction" else name
    Draft202012Validator(
        event_schemas()[schema], format_checker=Draft202012Validator.FORMAT_CHECKER
    ).validate(json.loads(example))


def test_every_topic_is_described_once() -> None:
    assert sorted(events.TOPICS) == sorted(channel.topic for channel in CHANNELS)


def test_every_channel_names_key_headers_and_payload_of_its_messages() -> None:
    document = asyncapi()

    for channel in document["channels"].values():
        assert events.PARTITIONS == channel["bindings"]["kafka"]["partitions"]
        for reference in channel["messages"].values():
            message = document["components"]["messages"][reference["$ref"].rpartition("/")[2]]
            assert message["bindings"]["kafka"]["key"]["description"]
            assert {"ce_specversion", "ce_id", "ce_source", "ce_type"} == set(
                message["headers"]["required"]
            )
            assert message["payload"]["$ref"].rpartition("/")[2] == message["name"]


def test_each_kind_of_message_has_a_type_a_path_and_an_example_of_its_own() -> None:
    assert len(KINDS) == len({kind.type for kind in KINDS}) == len({kind.path for kind in KINDS})
    for kind in KINDS:
        assert (EXAMPLES / f"{kind.name}.json").exists()


def test_no_schema_on_an_internal_topic_has_a_field_for_a_person_in_the_clear() -> None:
    persons = {"name", "hetu", "birth_date", "address", "phone", "email", "observations", "school"}
    document = asyncapi()
    parts = {"NotifiedChild", "Notifier", "Guardian", "Urgency", "ExpectingParent", "Confirmer"}
    parts |= {"ClientPerson", "ClientGuardian", "Move", "Declaration"}
    parts |= {"Staff", "Unit", "Shift", "Group", "Clinic"}
    inbound = parts | {kind.model.__name__ for kind in KINDS}

    for name, schema in document["components"]["schemas"].items():
        if name not in inbound:
            assert set() == persons & set(schema["properties"])


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(apps.build("intake"))  # without the lifespan: connected to nothing


@pytest.mark.parametrize("path", ["/asyncapi", "/openapi"])
def test_a_page_describes_the_interface_and_loads_nothing_from_elsewhere(
    client: TestClient, path: str
) -> None:
    page = client.get(path)

    assert 200 == page.status_code
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert {"/docs.css"} <= set(loaded)
    assert [] == [link for link in loaded if not link.startswith(("/", "#"))]
    assert "<script" not in page.text
    assert "<form" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert 200 == client.get("/docs.css").status_code


def test_the_asyncapi_page_shows_every_topic_and_every_field(client: TestClient) -> None:
    page = client.get("/asyncapi").text

    for topic in events.TOPICS:
        assert topic in page
    assert "children[].guardians[].name" in page
    assert "yes, no, unknown" in page


def test_the_openapi_page_shows_every_operation(client: TestClient) -> None:
    page = client.get("/openapi").text

    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page
    assert "urgency.in_danger" in page


def test_intake_serves_the_documents_that_are_checked_in(client: TestClient) -> None:
    assert CHECKED_IN["asyncapi.json"] == client.get("/asyncapi.json").json()
    assert CHECKED_IN["openapi.intake.json"] == client.get("/openapi.json").json()


def test_the_pages_are_files_of_the_project() -> None:
    assert (Path(contract.__file__).parent / "docs" / "docs.css").exists()
