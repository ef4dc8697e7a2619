"""What holds of every format: one reader knows it, batches do not matter, and what is cut off is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_store.errors import InvalidRequestError, UnsupportedFileError
from feature_store.ingest import source as sources
from feature_store.ingest.readers.member import members
from feature_store.ingest.source import FORMATS, READERS, open_source
from tests.feature_store.ingest.readers.samples import NAMES, SAMPLES

every_sample = pytest.mark.parametrize(("format_", "name", "content"), SAMPLES, ids=NAMES)


@every_sample
def test_exactly_one_reader_of_an_own_format_knows_a_file_or_none_and_then_one_of_named_columns(
    write, format_, name, content
):
    (member,) = members(write(name, content))
    own = [reader.format for reader in sources._OWN_FORMATS if reader.knows(member)]
    named = [reader.format for reader in sources._NAMED_COLUMNS if reader.knows(member)]
    assert (own or named) == [format_]


@every_sample
def test_a_file_says_what_it_is_and_naming_its_format_gives_the_same(write, read, format_, name, content):
    path = write(name, content)
    asked, told = open_source(path), open_source(path, format=format_)
    assert (asked.format, told.format) == (format_, format_)
    assert read(asked).__dict__ == read(told).__dict__ or np.isnan(list(read(asked).values.values())).any()


def test_every_format_has_a_sample():
    assert {format_ for format_, _, _ in SAMPLES} == set(FORMATS) == set(READERS)


@every_sample
def test_every_sample_is_read_without_a_broken_line(write, read, format_, name, content):
    found = read(open_source(write(name, content)))
    assert "?" not in found.time
    assert len(found.broken) == (format_ == "oanda")  # a candle that is not complete
    for column in ("close", "bid", "ask"):
        assert np.isfinite(found.values.get(column, [])).all()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.sampled_from(
            [
                "20180102 000000;1.1;1.3;1.1;1.2;0",
                "20180102 000100;1.2;1.4;1.0;1.3;0\r",
                "20180102 000200;1.2;1.4",
                '20180102 000300;"1.2";1.4;1.0;1.3;0',
                "20180102 000400;1.2;1.4;1.0;1.3;0;7;8",
                "20180102 000500;1.2;1.4;1.0;1.3;",
                '20180102 000600;"1.2;1.4;1.0;1.3;0',
                "",
                "  ",
                ";;;;;",
                "20180102 000700;1.2;1.4;1.0;1.3;0;",
                "20180102 000800;1.2;é;1.0;1.3;0",
            ]
        ),
        min_size=1,
        max_size=30,
    ),
    batch=st.integers(1, 40),
    last=st.sampled_from(["", "\n"]),
)
def test_any_batch_size_gives_the_same_rows_and_the_same_broken_lines(write, read, lines, batch, last):
    path = write("DAT_ASCII_EURUSD_M1_2018.csv", "20180101 170000;1.2;1.2;1.2;1.2;0\n" + "\n".join(lines) + last)
    source = open_source(path)
    whole, pieces = read(source), read(source, batch)
    assert max(pieces.sizes) <= batch
    assert (pieces.numbers, pieces.time, pieces.broken) == (whole.numbers, whole.time, whole.broken)
    for name, column in whole.values.items():
        assert np.array_equal(pieces.values[name], column, equal_nan=True)
    rows = [line for line in ["x", *lines] if line.strip(" ;\r")]
    assert len(whole.numbers) + len(whole.broken) == len(rows)


@every_sample
@pytest.mark.parametrize("batch", [1, 2])
def test_batches_of_every_format_give_the_same(write, read, format_, name, content, batch):
    source = open_source(write(name, content))
    whole, pieces = read(source), read(source, batch)
    assert (pieces.numbers, pieces.time, pieces.broken) == (whole.numbers, whole.time, whole.broken)
    for column, values in whole.values.items():
        assert np.array_equal(pieces.values[column], values, equal_nan=True)
    assert max(pieces.sizes) <= batch


@pytest.mark.parametrize(("name", "content"), [(name, content) for _, name, content in SAMPLES if content])
def test_a_file_that_was_cut_off_is_refused_or_its_last_line_is_broken(write, read, name, content):
    content = content.encode() if isinstance(content, str) else content
    path = write(name, content[: len(content) - max(len(content) // 5, 3)])
    before = read(open_source(write(f"whole/{name}", content)))
    after = outcome(path, read)
    if isinstance(after, UnsupportedFileError):
        assert str(path) in str(after)
    else:
        assert len(after.broken) == 1
        assert len(after.numbers) < len(before.numbers)


def outcome(path, read):
    try:
        return read(open_source(path))
    except UnsupportedFileError as problem:
        return problem


@every_sample
def test_what_is_no_such_format_is_refused_by_every_reader(write, format_, name, content):
    path = write("strange.bin", b"\x00\x01\x02 nothing that anyone writes \xff" * 3)
    with pytest.raises(UnsupportedFileError, match=r"strange\.bin"):
        next(open_source(path, format=format_).tables())


def test_an_unknown_file_is_told_every_format(write):
    path = write("bars.xyz", "what is this")
    with pytest.raises(UnsupportedFileError, match=f"expected one of {', '.join(FORMATS)}; or name the format"):
        open_source(path)
    with pytest.raises(InvalidRequestError, match=f"format must be one of {', '.join(FORMATS)}, was 'xml'"):
        open_source(path, format="xml")
