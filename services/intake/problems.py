"""Intake's errors over HTTP: problem details (RFC 9457) that say what is wrong and what to do."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

PROBLEM = "application/problem+json"


class Problem(Exception):
    """An answer by RFC 9457: status, title and what to do; never anything of the message."""

    def __init__(self, status: int, kind: str, title: str, detail: str = "", **more: Any) -> None:
        super().__init__(kind)
        self.status = status
        self.body = {
            "type": f"urn:luotsi:problem:{kind}",
            "title": title,
            "status": status,
            "detail": detail,
            **more,
        }


async def answer_problem(_request: Request, error: Exception) -> JSONResponse:
    """Answer with the problem; what may go through later says when to try again."""
    assert isinstance(error, Problem)  # noqa: S101 -- registered for it alone
    headers = {"Retry-After": "5"} if error.status == 503 else None
    return JSONResponse(error.body, error.status, headers, media_type=PROBLEM)
