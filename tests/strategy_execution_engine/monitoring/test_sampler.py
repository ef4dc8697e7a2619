"""Totals become rates between readings, and restarts do not become negative ones."""

from __future__ import annotations

import pytest

from feature_store.errors import FeatureStoreConnectionError
from feature_store.events import ApiCall
from strategy_execution_engine.monitoring.sampler import Sampler, Traffic


def test_calls_per_second_follow_from_the_totals_of_two_readings(idle, clock):
    sampler = Sampler(idle.get_metrics, clock=clock)
    sampler.sample()
    for number in range(10):
        idle.count(ApiCall("get_indicators", 0.002, error="timeout" if number == 0 else None))
    clock.now += 2
    sampled, metrics, points = sampler.sample()

    assert sampled == clock.now
    assert metrics["api_calls"]["total"] == 10
    assert [(point.time, point.rate, point.error_rate) for point in points] == [(clock.now, 5.0, 0.5)]
    assert points[0].p95 == pytest.approx(2.0)


def test_pages_that_ask_at_the_same_time_share_a_reading(clock, idle):
    readings = []

    def read():
        readings.append(1)
        return idle.get_metrics()

    sampler = Sampler(read, clock=clock)
    for _ in range(5):
        sampler.sample()
    assert len(readings) == 1

    clock.now += 0.5
    sampler.sample()
    assert len(readings) == 2


def test_a_restart_is_a_rate_of_zero(clock, idle):
    idle.count(ApiCall("get_indicators", 0.002, "live"))
    sampler = Sampler(idle.get_metrics, clock=clock)
    sampler.sample()
    idle.reset()
    clock.now += 1

    assert [point.rate for point in sampler.sample()[2]] == [0.0]


def test_old_points_make_room(clock, idle):
    sampler = Sampler(idle.get_metrics, keep=3, clock=clock)
    for _ in range(10):
        clock.now += 1
        _, _, points = sampler.sample()

    assert len(points) == 3
    assert repr(sampler) == "<Sampler points=3>"


def test_what_cannot_be_read_raises_and_is_tried_again(clock, idle):
    answers = [FeatureStoreConnectionError("away"), idle.get_metrics()]

    def read():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sampler = Sampler(read, clock=clock)
    with pytest.raises(FeatureStoreConnectionError):
        sampler.sample()
    assert sampler.sample()[1]["api_calls"]["total"] == 0


def test_a_client_is_watched_by_its_calls(busy):
    traffic = Traffic.of(busy.get_metrics())

    assert (traffic.noun, traffic.total, traffic.errors) == ("calls", 1234, 124)
    assert traffic.by_answer == {"live": 1110}


def test_a_service_is_watched_by_its_requests(serving):
    traffic = Traffic.of(serving.get_metrics())

    assert (traffic.noun, traffic.total, traffic.errors) == ("requests", 4, 1)
    assert traffic.by_name == {"/api/v1/features/indicators": 4}
    assert (traffic.recent, traffic.recent_errors) == (4, 1)
