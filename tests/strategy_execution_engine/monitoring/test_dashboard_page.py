"""The page says what the metrics say, in words and figures a trader reads at a glance."""

from __future__ import annotations

import json

import plotly.utils
import pytest

from feature_store.events import ApiCall, BreakerChange
from strategy_execution_engine.monitoring import dashboard_page
from strategy_execution_engine.monitoring.feature_store_metrics import FeatureStoreMetrics
from strategy_execution_engine.monitoring.sampler import Point, Traffic


def words(component):
    """Return all text of a component, or of several."""
    if isinstance(component, str):
        return component
    if isinstance(component, (list, tuple)):
        return " ".join(words(child) for child in component)
    return words(getattr(component, "children", None) or [])


def updated(metrics, points=()):
    return dashboard_page.update(metrics.get_metrics(), points)


def health(metrics):
    return words(updated(metrics)["health"])


def points(*p99):
    return [Point(1_700_000_000.0 + n, 5.0, 0.5, value / 4, value / 2, value) for n, value in enumerate(p99)]


def test_every_part_of_an_update_has_its_place_in_the_frame(busy):
    frame = dashboard_page.layout("this process", 1000)
    places = {component.id for component in frame._traverse() if getattr(component, "id", None)}

    assert set(updated(busy)) < places
    assert "this process" in words(frame)


def test_an_update_is_json(busy):
    assert json.dumps(updated(busy, points(1.0, 2.0)), cls=plotly.utils.PlotlyJSONEncoder)


def test_an_idle_page_waits_and_invents_no_figures(idle):
    page = updated(idle)

    assert words(page["health"]) == "Waiting for calls"
    assert f"Cache hit rate {dashboard_page.NO_VALUE}" in words(page["cards"])
    assert page["names"].layout.annotations[0].text == "No calls yet"


def test_the_figures_are_the_metrics(busy):
    cards = words(updated(busy)["cards"])

    for part in ("1,234", "10.0%", "124 errors since the start", "87.0%", "87 hits, 13 misses", "12.0 ms", "direct 1"):
        assert part in cards


def test_the_tables_name_errors_and_breakers(busy):
    tables = words(updated(busy)["tables"])

    assert "timeout 124" in tables
    assert "features/indicators half open" in tables


def test_a_service_is_shown_by_its_requests(serving):
    page = updated(serving)

    assert "API requests 4" in words(page["cards"])
    assert list(page["names"].data[0].y) == ["/api/v1/features/indicators"]
    assert list(page["answers"].data[0].y) == ["503", "200"]


def calls(total, failed=0, milliseconds=1.0):
    metrics = FeatureStoreMetrics()
    for number in range(total):
        metrics.count(ApiCall("get_indicators", milliseconds / 1000, "live", "timeout" if number < failed else None))
    return metrics


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ({}, "Healthy"),
        ({"failed": 4}, "Healthy"),
        ({"failed": 5}, "Degraded errors in the last minute"),
        ({"failed": 10}, "Failing errors in the last minute"),
        ({"milliseconds": 500}, "Degraded slow responses"),
        ({"milliseconds": 1000}, "Failing slow responses"),
    ],
)
def test_health_follows_the_default_alert_thresholds(busy, expected):
    assert health(calls(100, **busy)) == expected


def test_an_open_breaker_is_bad_a_half_open_one_a_warning_and_a_closed_one_nothing():
    metrics = calls(100)
    metrics.count(BreakerChange("features/indicators", "open"))
    assert health(metrics) == "Failing circuit breaker open: features/indicators"

    metrics.count(BreakerChange("features/indicators", "half_open"))
    assert health(metrics) == "Degraded circuit breaker half open: features/indicators"

    metrics.count(BreakerChange("features/indicators", "closed"))
    assert health(metrics) == "Healthy"


def test_many_names_are_gathered_into_one_bar():
    chart = dashboard_page.bar_chart({f"method_{n:02}": 100 - n for n in range(30)}, {}, "none")

    assert len(chart.data[0].y) == 9
    assert chart.data[0].y[-1] == "method_00"
    assert chart.data[0].y[0] == "22 more"
    assert sum(chart.data[0].x) == sum(100 - n for n in range(30))


def test_the_latency_axis_is_logarithmic_and_leaves_out_zeros():
    chart = dashboard_page.latency_chart(points(0.0, 8.0))

    assert chart.layout.yaxis.type == "log"
    assert [list(line.y) for line in chart.data] == [[None, 2.0], [None, 4.0], [None, 8.0]]
    assert "10 ms" in chart.layout.yaxis.ticktext


def test_zoom_survives_an_update(busy):
    assert updated(busy, points(1.0, 2.0))["rate"].layout.uirevision == "keep"


def test_traffic_of_an_idle_process_is_calls(idle):
    assert Traffic.of(idle.get_metrics()).noun == "calls"
