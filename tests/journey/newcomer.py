"""``make newcomer``: a newcomer follows docs/integration.md to the letter, against the clock.

Starts the demo of this checkout, runs the commands of *Your first message* one after the other as
they stand, sees the message accepted and stops the demo. Fails after `MINUTES`.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MINUTES = 15


def commands() -> list[str]:
    """The commands of the guide's first section, in its order."""
    guide = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"## Your first message\n(.*?)\n## ", guide, re.DOTALL)
    return [line.strip() for line in section.splitlines() if line.startswith("       ")]


def run(script: str, *, captured: bool = False) -> subprocess.CompletedProcess[str]:
    """A few lines of bash in the checkout."""
    return subprocess.run(
        ["/bin/bash", "-c", script], cwd=ROOT, capture_output=captured, text=True, check=False
    )


def main() -> int:
    """0: the message was accepted in time."""
    started = time.monotonic()
    run("make demo").check_returncode()
    ready = time.monotonic()
    script = "set -euo pipefail\n" + "\n".join(commands())
    done = run(script, captured=True)
    minutes = (time.monotonic() - started) / 60
    sys.stdout.write(done.stdout + done.stderr)
    run("make down")
    accepted = done.returncode == 0 and '"state":"accepted"' in done.stdout
    sys.stdout.write(
        f"\nfirst message {'accepted' if accepted else 'NOT ACCEPTED'} after {minutes:.1f} min, "
        f"{(ready - started) / 60:.1f} of them for make demo; {MINUTES} are allowed\n"
    )
    return 0 if accepted and minutes <= MINUTES else 1


if __name__ == "__main__":
    sys.exit(main())
