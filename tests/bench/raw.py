"""The raw limit: bare aiokafka consume, one COPY per batch, produce, commit. Nothing is checked.

A program of its own, so that it has a process like a service has: ``python -m tests.bench.raw``.
It stops by itself after `count` records.
"""

import argparse
import asyncio
import gc
from collections import defaultdict

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

BATCH = 1000


async def run(bootstrap: str, url: str, source: str, target: str, count: int) -> None:
    conn = await asyncpg.connect(url)
    consumer = AIOKafkaConsumer(
        source, bootstrap_servers=bootstrap, group_id=f"raw-{target}", enable_auto_commit=False,
        auto_offset_reset="earliest", fetch_max_wait_ms=100,
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, compression_type="zstd",
        linger_ms=0, max_batch_size=1_000_000, max_request_size=1_900_000,
    )  # fmt: skip
    await consumer.start()
    await producer.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    done = 0
    while done < count:
        polled = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
        records = [record for part in polled.values() for record in part]
        if not records:
            continue
        await conn.copy_records_to_table(
            "raw", records=[(r.partition, r.offset, r.value) for r in records],
            columns=["part", "off", "body"],
        )  # fmt: skip
        grouped = defaultdict(list)
        for record in records:
            grouped[record.partition].append(record)
        futures = []
        for partition, items in grouped.items():
            batch = producer.create_batch()
            for item in items:
                if batch.append(key=item.key, value=item.value, timestamp=None) is None:
                    batch.close()
                    futures.append(await producer.send_batch(batch, target, partition=partition))
                    batch = producer.create_batch()
                    batch.append(key=item.key, value=item.value, timestamp=None)
            batch.close()
            futures.append(await producer.send_batch(batch, target, partition=partition))
        await asyncio.gather(*futures)
        await consumer.commit(
            {TopicPartition(source, p): items[-1].offset + 1 for p, items in grouped.items()}
        )
        done += len(records)
    await consumer.stop()
    await producer.stop()
    await conn.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "url", "source", "target"):
        parser.add_argument(name)
    parser.add_argument("count", type=int)
    arguments = parser.parse_args()
    asyncio.run(run(**vars(arguments)))
