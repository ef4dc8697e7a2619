"""Pointwise operations: NaN in, NaN out, and nothing that is not a number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feature_store.indicators import series
from feature_store.indicators.series import Series, number, price, where
from tests.conftest import values_of

VALUES = np.array([-2.5, -1.0, 0.0, 0.5, 3.0, math.nan])
OTHER = np.array([1.0, -1.0, 0.0, math.nan, 2.0, 1.0])


def run(node: Series) -> np.ndarray:
    return values_of(node, {"close": VALUES, "open": OTHER})


A, B = price("close"), price("open")
KNOWN = np.isfinite(VALUES) & np.isfinite(OTHER)


@pytest.mark.parametrize(
    ("node", "want"),
    [
        (A + B, VALUES + OTHER),
        (1.0 - A, 1.0 - VALUES),
        (-abs(A), -np.abs(VALUES)),
        (series.least(A, B), np.minimum(VALUES, OTHER)),
        (series.greatest(A, 0.25), np.maximum(VALUES, 0.25)),
        (series.sign(A), np.sign(VALUES)),
        (series.floor(A), np.floor(VALUES)),
        (series.exp(A), np.exp(VALUES)),
        (series.sin(A), np.sin(VALUES)),
        (series.cos(A), np.cos(VALUES)),
        (series.atan(A), np.arctan(VALUES)),
        (series.sqrt(abs(A)), np.sqrt(np.abs(VALUES))),
        (A > B, np.where(KNOWN, VALUES > OTHER, math.nan)),
        (A < B, np.where(KNOWN, VALUES < OTHER, math.nan)),
        (series.at_least(A, B), np.where(KNOWN, VALUES >= OTHER, math.nan)),
        (series.at_most(A, B), np.where(KNOWN, VALUES <= OTHER, math.nan)),
        (series.both(A > -2.0, A < 2.0, B > 0.0), np.where(KNOWN, (abs(VALUES) < 2.0) & (OTHER > 0.0), math.nan)),
        (series.either(A > 2.0, A < -2.0, B > 0.0), np.where(KNOWN, (abs(VALUES) > 2.0) | (OTHER > 0.0), math.nan)),
        (series.same(A, B), np.where(KNOWN, VALUES == OTHER, math.nan)),
        (series.is_known(A), np.isfinite(VALUES).astype(float)),
        (where(A > 0.0, 1.0, B), np.where(np.isnan(VALUES), math.nan, np.where(VALUES > 0, 1.0, OTHER))),
    ],
)
def test_an_operation_is_numpys_and_keeps_what_is_not_known(node, want):
    np.testing.assert_allclose(run(node), want, rtol=1e-15)


@pytest.mark.parametrize(
    "node", [A / 0.0, number(1.0) / A, series.log(A), series.sqrt(A), series.exp(A * 1000.0), A / (B - B)]
)
def test_what_leaves_the_numbers_is_not_known(node):
    assert not np.isinf(run(node)).any()
