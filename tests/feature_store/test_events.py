"""Events reach every listener, and no listener reaches the caller."""

from __future__ import annotations

import dataclasses
import logging
import sys
import threading
from typing import get_args

import pytest

from feature_store import events
from feature_store.events import CACHE_HIT, ApiCall, Channel, Fallback, Retried


def test_every_listener_is_told_in_the_order_they_subscribed():
    channel, seen = Channel(), []
    channel.subscribe(lambda event: seen.append(("first", event)))
    channel.subscribe(lambda event: seen.append(("second", event)))

    channel.emit(CACHE_HIT)

    assert seen == [("first", CACHE_HIT), ("second", CACHE_HIT)]


def test_who_unsubscribed_is_told_nothing_more_and_may_unsubscribe_twice():
    channel, seen = Channel(), []
    unsubscribe = channel.subscribe(seen.append)
    unsubscribe()
    unsubscribe()

    channel.emit(CACHE_HIT)

    assert seen == []


def test_unsubscribing_one_of_two_equal_subscriptions_leaves_the_other():
    channel, seen = Channel(), []
    first = channel.subscribe(seen.append)
    channel.subscribe(seen.append)
    first()

    channel.emit(CACHE_HIT)

    assert seen == [CACHE_HIT]


def test_a_listener_that_raises_disturbs_neither_the_caller_nor_the_others(caplog):
    channel, seen = Channel(), []

    def broken(event):
        raise RuntimeError("no room")

    channel.subscribe(broken)
    channel.subscribe(seen.append)
    with caplog.at_level(logging.ERROR):
        channel.emit(CACHE_HIT)

    assert seen == [CACHE_HIT]
    assert "no room" in caplog.text


def test_a_failing_listener_is_reported_once_and_keeps_what_it_can_digest(caplog):
    channel, seen = Channel(), []

    def picky(event):
        if isinstance(event, Fallback):
            raise TypeError("not that")
        seen.append(event)

    channel.subscribe(picky)
    with caplog.at_level(logging.ERROR):
        for event in (Fallback("get_indicators", "direct"), CACHE_HIT, Fallback("get_indicators", "direct")):
            channel.emit(event)

    assert seen == [CACHE_HIT]
    assert len(caplog.records) == 1


def test_a_listener_that_comes_back_is_reported_again(caplog):
    channel = Channel()

    def broken(event):
        raise RuntimeError("again")

    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            unsubscribe = channel.subscribe(broken)
            channel.emit(CACHE_HIT)
            unsubscribe()

    assert len(caplog.records) == 2


def test_a_listener_may_unsubscribe_itself_while_it_is_told():
    channel, seen = Channel(), []

    def once(event):
        seen.append(event)
        unsubscribe()

    unsubscribe = channel.subscribe(once)
    channel.emit(CACHE_HIT)
    channel.emit(CACHE_HIT)

    assert seen == [CACHE_HIT]


def test_keyboard_interrupt_in_a_listener_is_not_swallowed():
    channel = Channel()

    def interrupted(event):
        raise KeyboardInterrupt

    channel.subscribe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        channel.emit(CACHE_HIT)


def test_events_are_frozen_and_carry_nothing_else():
    for kind in get_args(events.Event):
        assert dataclasses.fields(kind)
        assert not hasattr(kind(*[1] * len(dataclasses.fields(kind))), "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        ApiCall("get_indicators", 0.1).method = "other"


def test_no_event_is_lost_while_threads_come_and_go():
    channel, counted = Channel(), []
    channel.subscribe(counted.append)

    def coming_and_going():
        for _ in range(300):
            channel.subscribe([].append)()

    def emitting():
        for _ in range(300):
            channel.emit(Retried("get_indicators"))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for work in (coming_and_going, emitting) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)

    assert len(counted) == 4 * 300
    assert repr(channel) == "<Channel listeners=1 failed=0>"


def test_the_module_has_one_channel_for_all():
    seen = []
    unsubscribe = events.subscribe(seen.append)
    try:
        events.emit(CACHE_HIT)
    finally:
        unsubscribe()

    assert seen == [CACHE_HIT]
