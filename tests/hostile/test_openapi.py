"""Requests made from the OpenAPI document, valid and not: each is answered, none breaks intake."""

import asyncio
import itertools
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from deploy.local.system import System
from tests import history
from tests import system as do
from tests.contract.apps import build

NUMBERS = itertools.count()


@pytest.mark.parametrize("examples", [3, pytest.param(100, marks=pytest.mark.faults)])
async def test_whatever_the_document_allows_or_forbids_is_answered_and_kept(
    two: System, examples: int
) -> None:
    seen = await asyncio.to_thread(ask_everything, two, examples)

    assert {400, 401, 403, 422} <= seen
    await history.settled(two)
    await history.nothing_unaccounted(two)
    requests = await do.value(two.admin_url, "SELECT count(*) FROM intake.http_request")
    assert requests > examples


def ask_everything(system: System, examples: int) -> set[int]:
    """The statuses of all answers, with so many examples of each operation, valid and not."""
    schema: Any = schemathesis.openapi.from_dict(build("intake").openapi())
    seen: set[int] = set()
    for found in schema.get_all_operations():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            seen |= ask(system, found.ok(), mode, examples)
    return seen


def ask(system: System, operation: Any, mode: GenerationMode, examples: int) -> set[int]:
    """One operation, with requests that its description allows or forbids."""
    seen: set[int] = set()
    token = f"Bearer {system.secrets['test-source']}"

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            own = {"Authorization": token, "ce-id": f"made-{next(NUMBERS)}"}
            case.headers = {**(case.headers or {}), **own}
        answer = case.call(base_url=system.services["intake-1"].url)
        seen.add(answer.status_code)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    answered()
    return seen
