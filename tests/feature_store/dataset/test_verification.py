"""The slow way finds what the fast one would have got wrong."""

import numpy as np
import pytest

from feature_store.bars import Timeframe
from feature_store.dataset.answer import Answer
from feature_store.dataset.events import Events
from feature_store.dataset.point_in_time import PointInTime
from feature_store.dataset.question import question
from feature_store.dataset.verification import verified
from feature_store.errors import LeakError
from feature_store.indicators.catalog import parse
from feature_store.virtual import VirtualFeatures

from .conftest import events

FEATURES = ["sma_5", "atr_3@4h", "rsi_3@GBPUSD", "correl_4@USDJPY", "ema_4@1d"]
ASKED = Events.of(events(*((symbol, hours) for hours in range(150, 180, 3) for symbol in ("EURUSD", "GBPUSD"))))


@pytest.fixture
def served(market):
    """A question and its right answer."""
    asked = question([parse(each) for each in FEATURES], Timeframe.parse("1h"), "event", {"atr_3@4h": "2h"})
    answer = Answer.without_data(asked, len(ASKED), status=False, ages=False)
    joins = PointInTime(VirtualFeatures(market, 2**24), asked)
    for symbol, rows in ASKED.by_symbol():
        joins.fill(answer, symbol, rows, ASKED.time[rows])
    return asked, answer


def test_right_values_pass(market, served):
    verified(market, served[0], ASKED, served[1], (), True)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_value_that_is_off_by_one_bit_is_found(market, served, feature):
    asked, answer = served
    row = int(np.flatnonzero(~np.isnan(answer.values[feature]))[3])
    answer.values[feature][row] = np.nextafter(answer.values[feature][row], np.inf)
    with pytest.raises(
        LeakError, match=rf"event {row} \(.* at 2023-01-.*Z\): {feature} was served as .* gives .*report it"
    ):
        verified(market, asked, ASKED, answer, (), True)


def test_a_value_served_although_it_was_too_old_is_found(market, served):
    asked, answer = served
    row = int(np.flatnonzero(np.isnan(answer.values["atr_3@4h"]))[0])
    answer.values["atr_3@4h"][row] = 1.0
    with pytest.raises(LeakError, match="gives nan"):
        verified(market, asked, ASKED, answer, (), True)


def test_a_sample_is_as_large_as_asked_and_the_same_each_time(market, served):
    asked, answer = served
    answer.values["sma_5"][:] = 0.0
    found = set()
    for _ in range(2):
        with pytest.raises(LeakError) as error:
            verified(market, asked, ASKED, answer, (), 3)
        found.add(str(error.value))
    assert len(found) == 1
