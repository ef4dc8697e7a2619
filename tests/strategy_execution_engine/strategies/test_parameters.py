import dataclasses

import pytest

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.strategies import MACrossoverStrategy, VolatilityBreakoutStrategy
from strategy_execution_engine.strategies.ma_crossover import MACrossoverParameters


def test_defaults_stand_where_nothing_is_given():
    assert (MACrossoverParameters().fast, MACrossoverParameters().slow) == (10, 30)


def test_parameters_read_as_attributes_and_as_a_mapping():
    parameters = MACrossoverParameters.of({"fast": 5})
    assert parameters.fast == parameters["fast"] == parameters.get("fast") == dict(parameters)["fast"] == 5
    assert parameters.get("absent", 7) == 7
    assert "absent" not in parameters


def test_parameters_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MACrossoverStrategy().parameters.fast = 3


def test_a_whole_number_may_be_written_as_a_real_one():
    fast = MACrossoverParameters.of({"fast": 5.0}).fast
    assert fast == 5
    assert isinstance(fast, int)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"fats": 5}, "no parameter 'fats'; did you mean fast?"),
        ({"zzz": 5}, "there are average, fast, slow"),
        ({"fast": 0}, "fast must be a whole number from 1 to 2000, was 0"),
        ({"fast": 2.5}, "fast must be a whole number"),
        ({"fast": True}, "fast must be a whole number"),
        ({"fast": None}, "fast must be a whole number"),
        ({"stop_pips": float("nan")}, "stop_pips must be a number from 0.1 to 10000"),
        ({"average": "hull"}, "average must be one of sma, ema, was 'hull'"),
        ({"fast": 30, "slow": 30}, "fast must be below slow, were 30 and 30"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_rule(given, sentence):
    with pytest.raises(InvalidRequestError) as refused:
        MACrossoverStrategy("cross", given)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("strategy", [MACrossoverStrategy, VolatilityBreakoutStrategy])
def test_every_parameter_is_described_with_its_bounds(strategy):
    for name, about in strategy.parameter_class.describe().items():
        assert about["description"], name
        assert about["type"] == "choice" or about["ge"] <= about["default"] <= about["le"], name
