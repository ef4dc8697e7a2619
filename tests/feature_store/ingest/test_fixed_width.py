from datetime import datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.ingest.fixed_width import parse_fixed_width
from feature_store.ingest.moments import _of_any_format, moments
from feature_store.times import to_microseconds


def test_what_is_laid_out_but_no_moment_is_told_from_what_is_laid_out_otherwise():
    column = pl.Series(["2019-01-02 17:00:00", "2019-02-30 17:00:00", "2019-01-02 7:00", None])
    time, is_moment, is_laid_out = parse_fixed_width(column)
    assert time.tolist() == [to_microseconds("2019-01-02T17:00:00Z"), 0, 0, 0]
    assert (is_moment.tolist(), is_laid_out.tolist()) == ([True, False, False, False], [True, True, False, False])


digits = st.text("0123456789", min_size=1, max_size=2)
odd_times = st.builds(
    lambda year, month, day, hour, minute, second, signs, fraction: (
        f"{year}{signs[0]}{month}{signs[0]}{day}{signs[1]}{hour}{signs[2]}{minute}{signs[2]}{second}{fraction}"
    ),
    st.sampled_from(["2019", "2020", "1900", "0004", "9999", "19"]),
    *[st.one_of(st.sampled_from(["01", "02", "12", "29", "30", "31", "00", "13", "24", "59", "60"]), digits)] * 5,
    st.sampled_from([("-", " ", ":"), (".", "T", ":"), ("/", " ", ":"), ("", " ", ""), ("", "", ""), ("-", " ", "")]),
    st.sampled_from(["", ".5", ".123", ".123456", ".123456789", "123", "Z"]),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(odd_times, min_size=1, max_size=5))
def test_arithmetic_on_digits_reads_what_polars_reads_and_refuses_what_it_refuses(texts):
    column = pl.Series(texts)
    time, is_moment, is_laid_out = parse_fixed_width(column)
    slow, readable, utc = _of_any_format(column)
    for row in (is_laid_out & ~utc).nonzero()[0]:
        if not texts[row].isascii() or not any(sign in texts[row][:5] for sign in "-./") or texts[row][-5:].isdigit():
            continue  # digits without signs between them, which polars is not asked about
        assert is_moment[row] == readable[row], texts[row]
        assert not is_moment[row] or time[row] == slow[row]


@settings(deadline=None)
@given(
    st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1)), min_size=1),
    st.sampled_from(["%Y%m%d %H%M%S", "%Y.%m.%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S"]),
)
def test_every_layout_is_read_to_the_second(times, form):
    whole = [each.replace(microsecond=0) for each in times]
    read = moments(pl.Series([each.strftime(form) for each in whole]))
    assert read.time.tolist() == [to_microseconds(each) for each in whole]
