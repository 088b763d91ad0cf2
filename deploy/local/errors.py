"""What goes wrong on a newcomer's machine, told in one line."""

import sys
from collections.abc import Callable


class LocalError(Exception):
    """Something on this machine is missing or in the way; `mend` says what to do about it."""

    def __init__(self, message: str, mend: str) -> None:
        self.message = message
        self.mend = mend
        super().__init__(f"{message} {mend}")


def run_command(command: Callable[[], None]) -> None:
    """Run a command of the terminal; what stands in its way is one line, not a stack trace."""
    try:
        command()
    except LocalError as error:
        print(f"luotsi: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nluotsi: Interrupted.", file=sys.stderr)
        sys.exit(130)
