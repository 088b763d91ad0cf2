"""Files of a notification, handed to a worker as downloads; never rendered, never named by others.

Intake keeps them. The opening is noted here and there before a byte leaves.
"""

from uuid import UUID

from fastapi import Response
from pydantic import ValidationError

from services.routing.desk import store
from services.routing.desk.acts import Desk
from services.routing.desk.faults import NotThere
from services.routing.desk.reading import note_reading
from services.routing.desk.sessions import Worker
from shared.events import AttachedFile, Signal

EXTENSIONS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "text/plain": "txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
}


async def download(
    desk: Desk, worker: Worker, child: UUID, notification: str, number: int
) -> Response:
    """The file with this number (from 1) of a notification of this case.

    Raises `NotThere`, `Gone` when it has been erased, and `Unavailable`.
    """
    async with desk.process.pool.acquire() as conn:
        row = await store.notification(conn, notification)
        if row is None or row["child"] != child:
            raise NotThere
        signal = _signal((await store.signals(conn, [notification])).get(notification))
        if signal is None or not 1 <= number <= len(signal.attachments):
            raise NotThere
        file = signal.attachments[number - 1]
        await note_reading(conn, worker, "attachment-opened", str(child), str(file.id))
    content = await desk.intake.attachment(worker, signal.receipt_id, file.id)
    return as_download(content, file, number)


def as_download(content: bytes, file: AttachedFile, number: int) -> Response:
    """An answer that no browser shows, under a name of our own."""
    name = f"liite-{number}.{EXTENSIONS.get(file.type, 'bin')}"
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _signal(body: bytes | None) -> Signal | None:
    try:
        return Signal.model_validate_json(body or b"")
    except ValidationError:
        return None
