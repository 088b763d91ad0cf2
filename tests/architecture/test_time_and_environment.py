"""One clock, and one place that reads the environment."""

from tests.architecture.source import modules, spoken

CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
ENVIRONMENT = {"os.environ", "os.getenv"}


def test_only_the_clock_reads_the_clock() -> None:
    for name, tree in modules("services", "shared").items():
        if name != "shared/clock.py":
            assert set() == spoken(tree) & CLOCKS, name


def test_only_settings_read_the_environment() -> None:
    for name, tree in modules("services", "shared").items():
        if not name.endswith("settings.py"):
            assert set() == spoken(tree) & ENVIRONMENT, name
