"""Settings of routing, its consumer and its desk."""

from datetime import time, timedelta
from pathlib import Path

from pydantic import SecretStr

from services.routing.domain.clocks import ClockSettings
from services.routing.domain.rota import OfficeHours
from shared.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """The county's choices about clocks, and what the desk needs to reach intake."""

    batch_records: int = 4000  # many are about the same children: a case is read and written once
    urgency_minutes: int = 30
    eves_count: bool = True
    eves_may_be_due: bool = False
    anticipatory_in_days: bool = True
    warn_ahead: timedelta = timedelta(days=1)
    timers: bool = True
    rules: Path = Path(__file__).parent / "rules"
    demo: bool = False
    office_begins: time = time(8)
    office_ends: time = time(16)
    intake_url: str = "http://127.0.0.1:8101"
    intake_token: SecretStr = SecretStr("")
    session_secret: SecretStr = SecretStr("")

    @property
    def office_hours(self) -> OfficeHours:
        """When the rota needs an office-hours shift, on working days in Finland's time."""
        return OfficeHours(self.office_begins, self.office_ends)

    @property
    def clock_settings(self) -> ClockSettings:
        """How clocks are counted here."""
        return ClockSettings(
            self.urgency_minutes, self.eves_count, self.eves_may_be_due, self.anticipatory_in_days
        )
