"""Publishes the sample county to Kafka as intake systems would: python -m deploy.sample.publish."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO, get_args

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.sample.county import CHILDREN, FINLAND, Message, Volume, month, told
from shared.clock import HELSINKI, utc_now

IN_FLIGHT = 1_000
PATIENCE_SECONDS = 60.0


async def publish(
    bootstrap: str,
    messages: Iterable[Message],
    *,
    topic_prefix: str = "",
    per_second: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Send the messages in their order, each to its topic, acknowledged by all replicas.

    Returns how many. `bootstrap` is host:port, several with commas. At most `IN_FLIGHT` messages
    wait for Kafka; `progress` is told of the number acknowledged so far. Without `per_second`: as
    fast as Kafka takes them. Raises `KafkaError`, or `TimeoutError` where Kafka is silent for a
    minute: then send again from the start, since ids and bytes are the same and intake knows
    repeats.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap.split(","),
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        linger_ms=5,
        max_batch_size=262_144,
        request_timeout_ms=int(PATIENCE_SECONDS * 1000),
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await producer.start()
        return await _send_all(producer, messages, topic_prefix, per_second, progress or _silent)
    finally:
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(5):
                await producer.stop()


async def _send_all(
    producer: AIOKafkaProducer,
    messages: Iterable[Message],
    prefix: str,
    per_second: float | None,
    progress: Callable[[int], None],
) -> int:
    loop = asyncio.get_running_loop()
    begun, done = loop.time(), 0
    waiting: list[asyncio.Future[object]] = []
    for sent, message in enumerate(messages):
        wait = begun + sent / per_second - loop.time() if per_second else 0.0
        if wait > 0 or len(waiting) >= IN_FLIGHT:
            done += await _acknowledged(waiting)
            progress(done)
            await asyncio.sleep(max(0.0, wait))
        async with asyncio.timeout(PATIENCE_SECONDS):
            future = await producer.send(
                prefix + message.topic, message.value, key=message.key, headers=message.headers
            )
        waiting.append(future)
    done += await _acknowledged(waiting)
    progress(done)
    return done


async def _acknowledged(waiting: list[asyncio.Future[object]]) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*waiting)
    number = len(waiting)
    waiting.clear()
    return number


def _silent(_: int) -> None:
    pass


# --- command line --------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the days asked for; returns the exit code."""
    chosen = _arguments(arguments)
    under_18s = FINLAND if chosen.finland else chosen.children
    print(
        f"The {chosen.days} days until {chosen.last_day} of a county with {under_18s} under-18s"
        f" to Kafka at {chosen.bootstrap}",
        flush=True,
    )
    try:
        with _truth_file(chosen.truth) as truth:
            number = asyncio.run(
                publish(
                    chosen.bootstrap,
                    _wanted(chosen, under_18s, truth),
                    topic_prefix=chosen.topic_prefix,
                    per_second=chosen.rate,
                    progress=_printer(),
                )
            )
    except (KafkaError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        print(f"Kafka at {chosen.bootstrap} did not take them: {reason}", file=sys.stderr)
        print("Nothing is lost by running the same command again.", file=sys.stderr)
        return 1
    print(f"  {number} messages published")
    return 0


def _wanted(
    chosen: argparse.Namespace, under_18s: int, truth: BinaryIO | None
) -> Iterator[Message]:
    """The messages; the truth about each is written before it leaves."""
    period = {"last_day": chosen.last_day, "days": chosen.days, "seed": chosen.seed}
    absences: Volume = chosen.absences
    if truth is None:
        yield from month(children=under_18s, absences=absences, rota_gap=chosen.rota_gap, **period)
        return
    for each in told(children=under_18s, absences=absences, rota_gap=chosen.rota_gap, **period):
        truth.write(each.truth.line())
        yield each.message


def _truth_file(path: Path | None) -> AbstractContextManager[BinaryIO | None]:
    return nullcontext() if path is None else path.open("wb")


TELLS_EVERY = 10_000


def _printer() -> Callable[[int], None]:
    """Tells how far it is, now and then."""
    said = 0

    def tell(done: int) -> None:
        nonlocal said
        if done // TELLS_EVERY > said:
            said = done // TELLS_EVERY
            print(f"  {done} published", flush=True)

    return tell


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    yesterday = utc_now().astimezone(HELSINKI).date() - timedelta(days=1)
    parser = argparse.ArgumentParser(prog="python -m deploy.sample.publish", description=__doc__)
    add = parser.add_argument
    add("--bootstrap", required=True, help="Kafka's address, host:port")
    add("--topic-prefix", default="", help="as LUOTSI_TOPIC_PREFIX of the services")
    add("--days", type=int, choices=range(1, 366), default=30, metavar="1-365")
    add("--last-day", type=date.fromisoformat, default=yesterday, help="default: yesterday")
    add("--seed", type=int, default=1, help="another county")
    add("--children", type=int, default=CHILDREN, help="under-18s in the county")
    add("--finland", action="store_true", help=f"all of Finland: {FINLAND} under-18s")
    add(
        "--absences", choices=get_args(Volume), default="natural",
        help="schools' absence signals: the natural volume, or the declared stress figure of"
        " 500,000 a year in all of Finland",
    )  # fmt: skip
    add("--rota-gap", action="store_true", help="nobody on duty one evening of the next week")
    add("--truth", type=Path, metavar="FILE", help="write what is really so, as JSON lines")
    add("--rate", type=_rate, help="messages a second; default: as fast as possible")
    return parser.parse_args(arguments)


def _rate(text: str) -> float:
    rate = float(text)
    if not rate > 0:
        raise argparse.ArgumentTypeError("the rate must be above 0")
    return rate


if __name__ == "__main__":
    sys.exit(main())
