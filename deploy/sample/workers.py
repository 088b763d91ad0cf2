"""Lets the sample workers log in where LUOTSI_DEMO is on: python -m deploy.sample.workers.

With it off nothing is added, so that compose.yaml may run it always.
"""

import asyncio
import sys

from deploy.sample.settings import SampleSettings
from deploy.sample.staff import WORKERS
from deploy.sample.store import add_workers


def main() -> None:
    """Add them, or say why not."""
    settings = SampleSettings()
    if not settings.demo:
        sys.stdout.write("No sample workers: LUOTSI_DEMO is off.\n")
        return
    asyncio.run(add_workers(settings.database_url.get_secret_value(), WORKERS))
    sys.stdout.write(f"{len(WORKERS)} sample workers may log in.\n")


if __name__ == "__main__":
    main()
