import gzip

import numpy as np
import polars as pl
import pytest

from feature_store.errors import InvalidRequestError, UnsupportedFileError
from feature_store.feature_store import open as open_store
from feature_store.ingest.files import read_file
from feature_store.ingest.moments import moments

CSV = "time,open,high,low,close,volume\n2023-01-03 10:00,1.2,1.4,1.1,1.3,5\n2023-01-03 11:00,1.3,1.5,1.2,1.4,6\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="bars.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (CSV, "bars.csv"),
        (CSV, "bars.txt"),
        (CSV.replace(",", ";"), "bars.csv"),
        (CSV.replace(",", "\t"), "bars.tsv"),
        (CSV.replace("\n", "\r\n"), "bars.csv"),
        ("\ufeff" + CSV, "bars.csv"),
        (CSV.encode("utf-16"), "bars.csv"),
        (gzip.compress(CSV.encode()), "bars.csv.gz"),
        (CSV.rstrip("\n"), "BARS.CSV"),
    ],
)
def test_text_in_columns_is_read_whatever_separates_and_encodes_it(write, content, name):
    table = read_file(write(content, name))
    assert table.values()["close"].tolist() == [1.3, 1.4]
    assert table.values()["tick_volume"].tolist() == [5, 6]
    assert table.numbers.tolist() == [2, 3]


def test_parquet_is_read_by_name_and_by_its_first_bytes(tmp_path):
    frame = pl.DataFrame({"Date": ["2023-01-03"], "O": [1.0], "H": [1.0], "L": [1.0], "C": [1.0]})
    for name in ("bars.parquet", "bars"):
        frame.write_parquet(tmp_path / name)
        assert read_file(tmp_path / name).values()["close"].tolist() == [1.0]


def test_lines_are_numbered_as_an_editor_does_and_blank_ones_are_no_rows(write):
    table = read_file(write(CSV.replace("\n2023-01-03 11", "\n\n\n2023-01-03 11") + "\n"))
    assert table.numbers.tolist() == [2, 5]


def test_a_line_with_too_few_values_is_a_row_that_breaks_a_rule(write):
    with open_store(":memory:") as store:
        report = store.ingest("EUR/USD", "1h", write(CSV + "2023-01-03 12:00,1.2,1.4\n"))
    (rejected,) = report.quarantined
    assert rejected.row == 4
    assert rejected.values == {
        "time": "2023-01-03 12:00",
        "open": "1.2",
        "high": "1.4",
        "low": None,
        "close": None,
        "volume": None,
    }
    assert (report.read, report.stored) == (3, 2)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "bars.csv", r"bars\.csv, line 1: expected a header with time, open, high, low and close .* found nothing"),
        ("\n\n", "bars.csv", r"line 1: expected a header"),
        (
            "a,b\n1,2\n",
            "bars.csv",
            r"bars\.csv, line 1: expected a header .* no column means time, open, .* among a, b",
        ),
        ("2019.01.02,00:00,1,1,1,1,5\n", "bars.csv", r"line 1: expected a header"),
        (
            CSV + "2023-01-03 12:00,1,1,1,1,5,6\n",
            "bars.csv",
            r"bars\.csv, line 4: expected 6 values as in the header, found 7",
        ),
        (CSV.replace("open", "Open,o"), "bars.csv", r"line 1: the columns 'Open' and 'o' both mean open"),
        (
            CSV.encode() + b"\xff\xfe\n",
            "bars.csv",
            r"bars\.csv, line 4: expected text in UTF-8 or UTF-16, found the byte 0xff",
        ),
        (b"PAR1 and nothing else", "bars.parquet", r"bars\.parquet: expected a Parquet file"),
        (CSV, "bars.csv.gz", r"bars\.csv\.gz: expected a whole gzip file"),
        (gzip.compress(CSV.encode())[:-9], "bars.csv.gz", r"expected a whole gzip file"),
        (CSV, "bars.xyz", r"bars\.xyz: the name does not tell what it is; expected one of parquet, csv"),
    ],
)
def test_a_malformed_file_is_refused_by_name_and_line_with_what_was_expected(write, content, name, message):
    path = write(content, name)
    with pytest.raises(UnsupportedFileError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)


def test_a_quote_that_never_ends_is_refused(write):
    with pytest.raises(UnsupportedFileError, match=r"bars\.csv, line \d: expected values between ','"):
        read_file(write(CSV + '2023-01-03 12:00,"1,1,1,1,5\n'))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UnsupportedFileError, match=r"no\.csv: there is no such file"):
        read_file(tmp_path / "no.csv")
    with pytest.raises(UnsupportedFileError, match="it cannot be opened"):
        read_file(tmp_path)


def test_a_format_may_be_named_and_must_exist(write):
    assert len(read_file(write(CSV, "bars.dat"), format="csv")) == 2
    with pytest.raises(InvalidRequestError, match="format must be one of parquet, csv, was 'xml'"):
        read_file(write(CSV), format="xml")


def test_the_zone_of_a_file_is_named_by_who_knows_it(write):
    with open_store(":memory:") as store:
        report = store.ingest("EUR/USD", "1h", write(CSV), tz="America/New_York")
        assert report.timezone == "America/New_York"
        assert store.bars("EUR/USD", "1h").index[0].isoformat() == "2023-01-03T15:00:00+00:00"


def test_ten_real_years_are_read_and_every_row_is_accounted_for(shared_data):
    """MetaTrader server time, prices in points: every bar is one, and few lie beyond the week."""
    path = shared_data / "ejtrader" / "GBPUSDh1.csv.gz"
    table = read_file(path)
    time = moments(table.time()).time
    assert len(table) == len(np.unique(time)) == 57_600
    with open_store(":memory:") as store:
        report = store.ingest("GBP/USD", "1h", path, tz="Europe/Athens")
        assert report.read == 57_600 == report.stored + report.duplicates + len(report.quarantined)
        assert len(report.quarantined) < 150
        assert store.symbols()[0].rows == report.stored
        assert store.ingest("GBP/USD", "1h", path, tz="Europe/Athens").duplicates == report.stored
