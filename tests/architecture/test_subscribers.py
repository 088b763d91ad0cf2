"""What every subscriber of every process must say, because FastStream's defaults lose messages."""

import ast
from typing import Any

import pytest
from fastapi.testclient import TestClient
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared import events
from shared.bus import Consumer
from shared.contract import CHANNELS
from tests.architecture.source import modules, strings
from tests.contract import apps

PROGRAMS = apps.programs()


def consumers() -> list[Any]:
    return [
        pytest.param(consumer, id=f"{program}:{consumer.topic}")
        for program in PROGRAMS
        for consumer in apps.build(program).state.process.consumers
    ]


def test_the_consuming_programs_are_looked_at() -> None:
    assert {"intake", "routing", "notifications"} <= set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_broker_has_no_subscriber_but_those_of_its_consumers(program: str) -> None:
    process = apps.build(program).state.process
    registered = set() if process.broker is None else set(process.broker.subscribers)

    assert {consumer.subscriber for consumer in process.consumers} == registered
    assert [] == ([] if process.broker is None else list(process.broker.publishers))


@pytest.mark.parametrize("consumer", consumers())
def test_a_subscriber_never_uses_what_loses_or_leaks_messages(consumer: Consumer[Any]) -> None:
    subscriber = consumer.subscriber
    options = subscriber._connection_args

    assert isinstance(subscriber, BatchSubscriber)
    assert AckPolicy.NACK_ON_ERROR is subscriber.ack_policy
    assert subscriber._no_reply, "a reply_to header would make us publish anywhere"
    assert consumer._parse == subscriber._call_options.parser, "theirs dies on one odd header"
    assert consumer._decode == subscriber._call_options.decoder, "theirs parses JSON"
    assert 1 == len(subscriber.calls)
    assert subscriber._listener is not None, "the running batch must end before partitions go"
    assert subscriber._outer_config.allow_auto_create_topics is False
    assert options["enable_auto_commit"] is False
    assert "earliest" == options["auto_offset_reset"]
    assert "read_committed" == options["isolation_level"]
    assert 60_000 == options["rebalance_timeout_ms"]
    assert 300_000 == options["max_poll_interval_ms"]
    assert options["heartbeat_interval_ms"] * 3 < options["session_timeout_ms"]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/docs/try"), ("POST", "/asyncapi/try"), ("POST", "/asyncapi"),
        ("GET", "/docs"), ("GET", "/docs.json"), ("GET", "/docs.yaml"), ("GET", "/redoc"),
    ],
)  # fmt: skip
def test_nobody_can_publish_through_a_page_of_documentation(
    program: str, method: str, path: str
) -> None:
    answer = TestClient(apps.build(program)).request(method, path, json={})

    assert answer.status_code in (404, 405)


def test_topics_read_are_the_topics_declared() -> None:
    declared = {
        (reader, channel.topic)
        for channel in CHANNELS
        for reader in channel.readers
        if reader != "source"
    }
    read = {
        (program, consumer.topic)
        for program in PROGRAMS
        for consumer in apps.build(program).state.process.consumers
    }

    assert declared == read


def test_topics_written_are_the_topics_declared() -> None:
    names = {
        name: value
        for name, value in vars(events).items()
        if isinstance(value, str) and value in events.TOPICS
    }
    declared = {
        (sender, channel.topic)
        for channel in CHANNELS
        for sender in channel.senders
        if sender != "source"
    }

    assert declared == {
        (path.split("/")[1], names[name])
        for path, tree in modules("services").items()
        for name in _written(tree)
    }


def _written(tree: ast.Module) -> set[str]:
    """Names of the topics that stand first in an `Outgoing(…)`."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Outgoing") and node.args
    ]
    return {ast.unparse(call.args[0]).rpartition(".")[2] for call in calls}


def test_no_topic_is_spelt_out_where_its_name_should_stand() -> None:
    for name, tree in modules("services", "shared", "deploy").items():
        if name != "shared/events.py":
            assert set() == set(strings(tree)) & set(events.TOPICS), name
