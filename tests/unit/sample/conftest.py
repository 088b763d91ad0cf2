"""One sample year for all tests of the sample county: it takes some seconds."""

import pytest

from tests.sample_year import Year, sample_year


@pytest.fixture(scope="session")
def year() -> Year:
    return sample_year()
