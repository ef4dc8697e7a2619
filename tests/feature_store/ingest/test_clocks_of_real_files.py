"""Real files, read by the clocks found in them, agree with files whose clock is known and with one another."""

from functools import cache
from itertools import combinations
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import polars as pl
import pytest

from feature_store.calendar import DAY, HOUR, WEEK, shifted
from feature_store.ingest.clock_detection import detect
from feature_store.ingest.clocks import Clock
from feature_store.ingest.week_edges import Backwards, WeekEdges
from feature_store.times import to_microseconds
from feature_store.timezones import utc_offset

MINUTE = HOUR // 60
NEW_YORK, NEW_YORK_BY_EUROPE = Clock(-5, "us"), Clock(-5, "eu")
BERLIN, ATHENS, SERVER = Clock(1, "eu"), Clock(2, "eu"), Clock(2, "us")
METATRADER = {"AUDUSD": 1e-5, "GBPUSD": 1e-5, "USDCAD": 1e-5, "USDCHF": 1e-5, "USDJPY": 1e-3}


@cache
def histdata(data: Path, pair: str, year: int):
    """Local times and the four prices of M1 bars."""
    with ZipFile(data / "histdata" / f"HISTDATA_COM_ASCII_{pair}_M1{year}.zip") as archive:
        rows = pl.read_csv(archive.read(f"DAT_ASCII_{pair}_M1_{year}.csv"), has_header=False, separator=";")
    return local_times(rows, "%Y%m%d %H%M%S"), rows[:, 1:5].to_numpy()


@cache
def metatrader(data: Path, pair: str):
    """Local times and closes of H1 bars."""
    rows = pl.read_csv(data / "ejtrader" / f"{pair}h1.csv.gz")
    return local_times(rows, "%Y-%m-%d %H:%M:%S"), rows["close"].to_numpy() * METATRADER[pair]


@cache
def oanda(data: Path):
    """UTC times and bid closes of EUR/USD H1 bars, 2007 to 2018."""
    with ZipFile(data / "lean" / "oanda-hour-eurusd.zip") as archive:
        rows = pl.read_csv(archive.read(archive.namelist()[0]), has_header=False)
    return local_times(rows, "%Y%m%d %H:%M"), rows[:, 4].to_numpy()


def local_times(rows, form):
    return rows[:, 0].str.to_datetime(form, time_unit="us").to_physical().to_numpy()


def found_in(local, length):
    edges = WeekEdges(length)
    for batch in np.array_split(local, 7):
        edges.add(batch)
    return detect(edges)


def hourly(times, closes):
    """Hours and their last closes, of rows in rising order."""
    hours = times // HOUR
    last = np.flatnonzero(np.diff(hours, append=-1))
    return hours[last] * HOUR, closes[last]


def median_difference_by_month(one, other):
    """The median of |difference| of closes at equal times, month by month."""
    times, here, there = np.intersect1d(one[0], other[0], return_indices=True)
    months = times.astype("datetime64[us]").astype("datetime64[M]").astype(str)
    differences = np.abs(one[1][here] - other[1][there])
    return {month: float(np.median(differences[months == month])) for month in np.unique(months).tolist()}


def between_the_rules(times):
    """Where the United States keep summer time and Europe does not."""
    return SERVER.to_utc(times + 2 * HOUR)[0] != ATHENS.to_utc(times + 2 * HOUR)[0]


def months_of(times):
    return times.astype("datetime64[us]").astype("datetime64[M]").astype(str)


def best_lag(one, other, least=0.25):
    """By how many hours `other` must be moved to follow `one` best: the peak of |correlation| of hourly log returns.

    None where no lag correlates by `least`, as of the yen and the Canadian dollar in many a month.
    """
    strength = {}
    for lag in range(-3, 4):
        _, here, there = np.intersect1d(one[0], other[0] + lag * HOUR, return_indices=True)
        strength[lag] = abs(np.corrcoef(one[1][here], other[1][there])[0, 1])
    best = max(strength, key=strength.get)
    return best if strength[best] > least else None


def returns(times, closes):
    """Log returns over one hour, where the hour before is there; of a shock no more than half a percent counts."""
    follows = np.diff(times) == HOUR
    return times[1:][follows], np.clip(np.diff(np.log(closes))[follows], -0.005, 0.005)


@cache
def read_metatrader(data: Path, pair: str):
    """Hourly returns at the UTC times that the clock found gives."""
    local, closes = metatrader(data, pair)
    return returns(found_in(local, HOUR).to_utc(local)[0], closes)


def part(series, mask):
    return series[0][mask], series[1][mask]


# ---------------------------------------------------------------- which clocks
@pytest.mark.parametrize(
    ("pair", "year", "clock"),
    [("EURUSD", 2018, NEW_YORK), ("USDJPY", 2018, NEW_YORK), ("EURUSD", 2019, NEW_YORK_BY_EUROPE)],
)
def test_histdata_wrote_new_yorks_clock_in_2018_and_switched_it_on_european_dates_in_2019(
    shared_data, pair, year, clock
):
    found = found_in(histdata(shared_data, pair, year)[0], MINUTE)
    assert [segment.clock for segment in found.segments] == [clock]
    assert found.undecided == ()
    assert found.agreement > 0.98


def test_two_years_of_histdata_in_one_file_are_two_clocks(shared_data):
    local = np.concatenate([histdata(shared_data, "EURUSD", year)[0] for year in (2018, 2019)])
    found = found_in(local, MINUTE)
    assert [segment.clock for segment in found.segments] == [NEW_YORK, NEW_YORK_BY_EUROPE]
    assert to_microseconds("2018-11-04") <= found.segments[1].first_local < to_microseconds("2019-03-11")


@pytest.mark.parametrize("pair", METATRADER)
def test_the_metatrader_server_went_from_central_to_eastern_european_time_in_november_2014(shared_data, pair):
    found = found_in(metatrader(shared_data, pair)[0], HOUR)
    assert [segment.clock for segment in found.segments] == [BERLIN, ATHENS]
    assert found.segments[1].first_local == to_microseconds("2014-11-24")
    assert (found.weeks, found.segments[1].undecided) == (486, ())
    assert found.segments[1].agreeing / found.segments[1].weeks > 0.99


def test_oandas_hours_are_utc(shared_data):
    found = found_in(oanda(shared_data)[0], HOUR)
    assert [segment.clock for segment in found.segments] == [Clock(0)]
    assert found.undecided == ()
    assert found.agreement > 0.99


# ---------------------------------------------------------------- against files whose clock is known
def test_histdata_agrees_with_oanda_within_a_pip_in_every_month(shared_data):
    local, prices = histdata(shared_data, "EURUSD", 2018)
    utc, readable = found_in(local, MINUTE).to_utc(local)
    assert readable.all()
    months = median_difference_by_month(hourly(utc, prices[:, 3]), oanda(shared_data))
    assert len([month for month in months if month.startswith("2018")]) == 12
    assert max(months.values()) < 1e-4


@pytest.mark.parametrize("wrong", [NEW_YORK_BY_EUROPE, Clock(-5), Clock(-4)], ids=str)
def test_a_wrong_clock_is_many_pips_off_in_the_weeks_between_the_rules_or_in_a_season(shared_data, wrong):
    local, prices = histdata(shared_data, "EURUSD", 2018)
    right, _ = NEW_YORK.to_utc(local)
    read, _ = wrong.to_utc(local)
    moved = read != right
    months = median_difference_by_month(hourly(read[moved], prices[moved, 3]), oanda(shared_data))
    assert min(months.values()) > 3e-4


def test_histdatas_yen_agrees_with_the_metatrader_server_within_a_pip_in_every_month(shared_data):
    local, prices = histdata(shared_data, "USDJPY", 2018)
    server, closes = metatrader(shared_data, "USDJPY")
    ours = hourly(found_in(local, MINUTE).to_utc(local)[0], prices[:, 3])
    theirs = found_in(server, HOUR).to_utc(server)[0], closes
    months = median_difference_by_month(ours, theirs)
    assert len(months) == 12
    assert max(months.values()) < 0.01
    by_new_york = part((SERVER.to_utc(server)[0], closes), between_the_rules(theirs[0]))
    wrong = median_difference_by_month(ours, by_new_york)
    assert min(wrong.values()) > 0.03


# ---------------------------------------------------------------- against one another
def test_the_weeks_of_the_five_pairs_open_and_close_together(shared_data):
    weeks = []
    for pair in METATRADER:
        local, _ = metatrader(shared_data, pair)
        utc = found_in(local, HOUR).to_utc(local)[0]
        number, first = np.unique((shifted(utc) + 3 * DAY) // WEEK, return_index=True)
        last = np.append(first[1:], len(utc)) - 1
        weeks.append(
            {n: (utc[a], utc[b]) for n, a, b in zip(number[1:-1].tolist(), first[1:-1], last[1:-1], strict=True)}
        )
    together = set.intersection(*(set(each) for each in weeks))
    opens = [len({each[n][0] for each in weeks}) == 1 for n in together]
    closes = [max(each[n][1] for each in weeks) - min(each[n][1] for each in weeks) <= HOUR for n in together]
    assert len(together) > 480
    assert (np.mean(opens), np.mean(closes)) > (0.98, 0.98)


@pytest.mark.parametrize(("one", "other"), list(combinations(METATRADER, 2)))
def test_pairs_of_the_server_move_in_the_same_hour_in_every_month(shared_data, one, other):
    first, second = (read_metatrader(shared_data, pair) for pair in (one, other))
    months = months_of(first[0])
    lags = [best_lag(part(first, months == month), second) for month in np.unique(months)[1:-1].tolist()]
    assert set(lags) <= {0, None}
    assert lags.count(0) > 20


@pytest.mark.parametrize("pair", METATRADER)
def test_pairs_of_the_server_move_with_oandas_euro_in_the_same_hour_in_every_month(shared_data, pair):
    euro, ours = returns(*oanda(shared_data)), read_metatrader(shared_data, pair)
    months = months_of(ours[0])
    lags = [best_lag(euro, part(ours, months == month)) for month in np.unique(months).tolist() if month < "2019"]
    assert set(lags) <= {0, None}
    assert lags.count(0) > 20


@pytest.mark.parametrize("pair", METATRADER)
def test_by_another_clock_pairs_of_the_server_would_not_move_with_oandas_euro(shared_data, pair):
    euro, ours = returns(*oanda(shared_data)), read_metatrader(shared_data, pair)
    between = part(ours, between_the_rules(ours[0]))
    assert best_lag(euro, between, least=0.1) == 0
    by_new_york, _ = SERVER.to_utc(between[0] + 2 * HOUR)
    assert best_lag(euro, (by_new_york, between[1]), least=0.1) == 1
    early = part(ours, ours[0] < to_microseconds("2014-11-22"))
    assert best_lag(euro, early, least=0.1) == 0
    by_athens, _ = ATHENS.to_utc(early[0] + utc_offset(early[0], "Europe/Berlin"))
    assert best_lag(euro, (by_athens, early[1]), least=0.1) == 1


@pytest.mark.parametrize("pair", ["GBPUSD", "USDCHF"])
def test_histdatas_2019_moves_with_the_server_in_the_same_hour_in_every_month(shared_data, pair):
    local, prices = histdata(shared_data, "EURUSD", 2019)
    utc, once = np.unique(found_in(local, MINUTE).to_utc(local)[0], return_index=True)
    euro = returns(*hourly(utc, prices[once, 3]))
    theirs, months = read_metatrader(shared_data, pair), months_of(euro[0])
    for month in np.unique(months).tolist():
        assert best_lag(part(euro, months == month), theirs) == 0


# ---------------------------------------------------------------- the hour that is there twice
def test_sixty_minutes_of_2019_10_27_stand_in_the_file_twice_and_are_one_hour(shared_data):
    local, prices = histdata(shared_data, "EURUSD", 2019)
    found = found_in(local, MINUTE)
    seven, eight = to_microseconds("2019-10-27T19:00"), to_microseconds("2019-10-27T19:59")
    assert found.backwards == (Backwards(row=306_018, since=eight, to=seven, rows=60),)  # lines 306,019 to 306,078
    first, second = slice(305_958, 306_018), slice(306_018, 306_078)
    assert prices[first].tolist() == prices[second].tolist()
    utc, readable = found.to_utc(local)
    assert readable.all()
    assert utc[first].tolist() == utc[second].tolist()
    assert (utc[first][0], utc[first][-1]) == (
        to_microseconds("2019-10-28T00:00"),
        to_microseconds("2019-10-28T00:59"),
    )
    assert len(utc) - len(np.unique(utc)) == 60


def test_the_hour_that_2019_03_31_lacks_is_an_hour_that_histdata_left_out(shared_data):
    utc = found_in(local := histdata(shared_data, "EURUSD", 2019)[0], MINUTE).to_utc(local)[0]
    sunday = utc[(utc >= to_microseconds("2019-03-31")) & (utc < to_microseconds("2019-04-01T02:00"))]
    assert np.unique(sunday // HOUR - to_microseconds("2019-03-31") // HOUR).tolist() == [21, 22, 24, 25]
