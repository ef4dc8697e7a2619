import numpy as np
import pytest

from feature_store.errors import InvalidRequestError, UnsupportedFileError
from feature_store.ingest.files import read_file
from feature_store.ingest.moments import moments

CSV = "time,open,high,low,close,volume\n2023-01-03 10:00,1.2,1.4,1.1,1.3,5\n2023-01-03 11:00,1.3,1.5,1.2,1.4,6\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="bars.csv"):
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


def test_a_file_of_bars_is_one_table(write):
    table = read_file(write(CSV * 1))
    assert (table.values()["close"].tolist(), table.numbers.tolist()) == ([1.3, 1.4], [2, 3])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time,bid,ask\n2023-01-03 10:00,1.2,1.3\n", "expected bars, found ticks"),
        (CSV + "2023-01-03 12:00,1,1\n", r"bars\.csv, line 4: expected 6 values, found 3"),
    ],
)
def test_ticks_and_broken_lines_are_refused(write, content, message):
    with pytest.raises(UnsupportedFileError, match=message):
        read_file(write(content))


def test_a_format_may_be_named_and_must_exist(write):
    assert len(read_file(write(CSV, "bars.dat"), format="csv")) == 2
    with pytest.raises(InvalidRequestError, match=r"format must be one of histdata-m1, .* parquet, csv, was 'xml'"):
        read_file(write(CSV), format="xml")


def test_a_real_year_of_minutes_is_one_table(shared_data):
    table = read_file(shared_data / "ejtrader" / "GBPUSDh1.csv.gz")
    assert len(table) == len(np.unique(moments(table.time()).time)) == 57_600
    assert table.values()["open"][0] == 1.58611
