"""What may go wrong, in three kinds: never possible, not this event's fault, our own bug."""

import asyncpg
from aiokafka.errors import KafkaError


class RejectedError(Exception):
    """A message that can never be applied. `reason` is a code, `mend` says what to do.

    Neither holds anything of the message itself: both leave the house and reach the logs.
    """

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


class PartitionLostError(Exception):
    """The batch was fetched before a rebalance, or a newer owner has fenced this one off."""


class PublishFailedError(Exception):
    """An answer may not have reached Kafka: nothing is acknowledged, it goes out again."""


class BrakeError(Exception):
    """Ten handler failures in a row: the consumer stops and alarms instead of parking everybody."""


RACES = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
"""Two writers met: rolled back, the same batch tried again finds what the other one wrote."""

RACE_TRIES = 3

OUTAGES = (
    OSError,
    TimeoutError,
    KafkaError,
    PublishFailedError,
    PartitionLostError,
    BrakeError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,  # a password is being changed
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
)
"""Not this event's fault: roll back, wait, take it again. Never a reason to set it aside."""


def describe(error: BaseException) -> str:
    """Type and place of an error, never its values: they may be a person's."""
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if "site-packages" not in code.co_filename:
            place = (
                f" at {code.co_filename.rsplit('/', 1)[-1]}:{traceback.tb_lineno} {code.co_name}"
            )
        traceback = traceback.tb_next
    return f"{type(error).__name__}{place}"
