"""A store of invented hours over New Year 2023, and the service on it."""

from __future__ import annotations

import pandas as pd
import pytest

import feature_store as fs
from feature_store.calendar import Calendar
from feature_store.service.process import ServiceProcess
from tests.conftest import random_walk


def hours(first: str, last: str) -> pd.DataFrame:
    """Return a seeded walk on every hour that the currency market is open."""
    time = pd.date_range(first, last, freq="h", tz="UTC", inclusive="left", unit="us", name="time")
    time = time[Calendar.of("EUR/USD").is_open(time.asi8)]
    frame = random_walk(len(time), seed=2023)
    return frame.set_index(time)


@pytest.fixture(scope="session")
def january(tmp_path_factory):
    """A folder with EUR/USD H1 from December 2022 to February 2023."""
    home = tmp_path_factory.mktemp("january")
    with fs.open(home) as store:
        report = store.ingest("EUR/USD", "1h", hours("2022-12-01", "2023-02-05"))
        assert report.quarantined == ()
    return home


@pytest.fixture(scope="session")
def service(january):
    with ServiceProcess(january) as running:
        yield running


@pytest.fixture
def bars(january):
    with fs.open(january) as store:
        return store.bars("EUR/USD", "1h")
