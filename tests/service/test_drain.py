from __future__ import annotations

import pytest

from service.drain import Drain


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("hold_seconds", [2.5, 30.0])
def test_a_drain_holds_as_long_as_it_was_told_to(hold_seconds: float) -> None:
    clock = Clock()
    drain = Drain(hold_seconds, clock=clock)
    assert (drain.active, drain.over) == (False, False)
    drain.begin()
    assert (drain.active, drain.over) == (True, False)
    clock.now += hold_seconds - 0.25
    assert not drain.over
    clock.now += 0.25
    assert drain.over


def test_a_drain_without_a_hold_is_over_at_once() -> None:
    drain = Drain(0, clock=Clock())
    drain.begin()
    assert drain.over


def test_beginning_twice_does_not_begin_again() -> None:
    clock = Clock()
    drain = Drain(10, clock=clock)
    drain.begin()
    clock.now += 6
    drain.begin()
    clock.now += 4
    assert drain.over


def test_a_drain_can_be_hastened_even_before_it_began() -> None:
    drain = Drain(1000, clock=Clock())
    drain.hasten()
    assert drain.active
    assert drain.over
