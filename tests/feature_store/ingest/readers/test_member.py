import gzip
import zipfile

import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.readers import member
from feature_store.ingest.source import open_source, open_sources
from tests.feature_store.ingest.readers.samples import ALPHA_VANTAGE, CSV, TICKS_CSV, zipped


def test_every_data_file_of_a_zip_is_a_source_in_the_order_of_names(write, read):
    path = write(
        "all.zip", zipped(**{"b/GBPUSD_H1.csv": CSV, "a/EURUSD_H1.csv": CSV, "readme.txt": "x", "__MACOSX/a.csv": "x"})
    )
    sources = open_sources(path)
    assert [source.symbol.name for source in sources] == ["EUR/USD", "GBP/USD"]
    assert all(len(read(source).numbers) == 2 for source in sources)
    with pytest.raises(UnsupportedFileError, match=r"all\.zip: expected one data file in the zip, found 2"):
        open_source(path)


def test_text_alone_in_a_zip_is_its_data(write, read):
    source = open_source(write("EURUSD_H1.zip", zipped(**{"bars.txt": CSV})))
    assert (source.symbol.name, len(read(source).numbers)) == ("EUR/USD", 2)


def test_a_file_is_named_in_errors_with_its_place_in_the_zip(write):
    path = write("x.zip", zipped(**{"in/bars.csv": "a,b\n1,2\n"}))
    with pytest.raises(UnsupportedFileError, match=r"x\.zip \(in/bars\.csv\), line 1: expected a header"):
        open_source(path)


def locked(content):
    package = bytearray(zipped(**{"bars.csv": content}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        package[package.index(mark) + place] |= 1
    return bytes(package)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.zip", CSV, "expected a whole zip file"),
        ("x.zip", zipped(), "expected a zip with data in it, found none"),
        ("x.zip", zipped(**{"bars.csv": CSV})[:-30], "expected a whole zip file"),
        ("x.zip", locked(CSV), "expected a zip without a password"),
        ("bars.csv.gz", CSV, "expected a whole gzip file"),
        ("bars.csv.gz", gzip.compress(CSV.encode())[:-9], "expected a whole gzip file"),
    ],
)
def test_a_broken_package_is_refused(write, read, name, content, message):
    with pytest.raises(UnsupportedFileError, match=message):
        read(open_source(write(name, content)))


def test_what_is_absent_or_no_file_is_told(tmp_path):
    with pytest.raises(UnsupportedFileError, match=r"no\.csv: there is no such file"):
        open_source(tmp_path / "no.csv")
    with pytest.raises(UnsupportedFileError, match=r"no\.zip: there is no such file"):
        open_source(tmp_path / "no.zip")
    with pytest.raises(UnsupportedFileError, match="it cannot be opened"):
        open_source(tmp_path)


def test_a_bomb_of_what_is_read_whole_is_refused(write, monkeypatch):
    monkeypatch.setattr(member, "LARGEST_WHOLE", 2**17)
    path = write("answer.json.gz", gzip.compress(ALPHA_VANTAGE.encode() + b" " * 2**18))
    with pytest.raises(UnsupportedFileError, match="expected at most 131,072 bytes once unpacked, found more"):
        open_source(path)


def test_a_line_without_end_is_refused(write, read):
    path = write("ticks.csv", TICKS_CSV + "1" * (2**20 + 1))
    with pytest.raises(
        UnsupportedFileError, match=r"ticks\.csv, line 4: expected lines of text, found one of more than 1,048,576"
    ):
        read(open_source(path), batch=1_000)


def test_memory_does_not_grow_with_a_packed_text(tmp_path):
    """Blocks are what is held: 200,000 lines pass through batches of 1,000."""
    path = tmp_path / "bars.zip"
    line = "2023-01-03 10:00,1.2,1.4,1.1,1.3,5\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("bars.csv", "time,open,high,low,close,volume\n" + line * 200_000)
    sizes = [len(table) for table in open_source(path).tables(1_000)]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 1_000
