"""Changes over some bars against TA-Lib 0.8.2 and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from tests.golden.talib_case import Case, check_case

CASES = {
    "mom": Case(("mom_10",), lambda b: talib.MOM(b.close, 10), whole=True),
    # TA-Lib has none: the logarithm of its ratio
    "log_return": Case(("log_return_1",), lambda b: np.log(talib.ROCR(b.close, 1)), whole=True),
}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)
