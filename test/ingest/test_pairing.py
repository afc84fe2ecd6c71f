# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Pairing of colour and depth: who is whose nearest, in any stream."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from loc3r_ros.ingest.pairing import Pairing

SLOP = 20
# Shorter than it takes to believe in a smallest interval, which such streams do not have.
streams = st.lists(st.integers(0, 200), min_size=1, max_size=10, unique=True).map(sorted)


def merged(images, depths):
    """Both streams by time, as a recorder sees them."""
    rows = [(t, 'image', k) for k, t in enumerate(images)]
    rows += [(t, 'depth', k) for k, t in enumerate(depths)]
    return sorted(rows)


def pair(rows, slop=SLOP):
    pairing: Pairing[int] = Pairing(slop)
    out = []
    for stamp, kind, k in rows:
        (pairing.add_image if kind == 'image' else pairing.add_depth)(stamp, k)
        out += pairing.pairs()
    return out + list(pairing.pairs(last=True))


def nearest(stamp, others):
    return min(range(len(others)), key=lambda k: (abs(others[k] - stamp), k))


@given(images=streams, depths=streams)
@example(images=[0, 10], depths=[4, 5])
@example(images=[0, 30], depths=[15])
def test_partners_are_near_and_unique(images, depths):
    pairs = pair(merged(images, depths))
    assert [i for i, _ in pairs] == list(range(len(images))), 'every image, in order'
    used = [d for _, d in pairs if d is not None]
    assert len(used) == len(set(used)), 'no depth twice'
    for i, d in pairs:
        if d is not None:
            assert abs(images[i] - depths[d]) <= SLOP
            assert nearest(depths[d], images) == i, 'a depth goes to its nearest image'


@given(images=streams, depths=streams)
def test_each_others_nearest_are_always_paired(images, depths):
    pairs = dict(pair(merged(images, depths)))
    for i, t in enumerate(images):
        d = nearest(t, depths)
        if abs(t - depths[d]) <= SLOP and nearest(depths[d], images) == i:
            assert pairs[i] == d


@given(
    jitter=st.lists(st.integers(-6, 6), min_size=40, max_size=40),
    lost=st.sets(st.integers(0, 39)),
    delay=st.integers(0, 300),
)
def test_jitter_drops_and_late_depth(jitter, lost, delay):
    images = [33 * k for k in range(40)]
    depths = {k: 33 * k + j for k, j in enumerate(jitter) if k not in lost}
    rows = [(t, t, 'image', k) for k, t in enumerate(images)]
    rows += [(t + delay, t, 'depth', k) for k, t in depths.items()]
    pairs = pair([row[1:] for row in sorted(rows)])
    assert pairs == [(k, k if k in depths else None) for k in range(40)]


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from(['image', 'depth'])), max_size=150))
def test_any_order_of_time_loses_no_image(events):
    rows = [(stamp, kind, k) for k, (stamp, kind) in enumerate(events)]
    stamps = {k: stamp for stamp, _, k in rows}
    pairs = pair(rows)
    assert [i for i, _ in pairs] == [k for _, kind, k in rows if kind == 'image']
    used = [d for _, d in pairs if d is not None]
    assert len(used) == len(set(used))
    for i, d in pairs:
        assert d is None or abs(stamps[i] - stamps[d]) <= SLOP


def test_a_loop_of_the_recording_is_paired_like_the_first_round():
    once = [
        (33 * k + late, kind, k) for k in range(60) for kind, late in (('image', 0), ('depth', 5))
    ]
    again = [(t, kind, k + 60) for t, kind, k in once]
    pairs = pair(once + again)
    # The image at the seam may lose its depth, no other.
    assert sum(d is None for _, d in pairs) <= 1
    assert all(d in (i, None) for i, d in pairs)


def test_a_loop_after_a_lost_depth():
    once = [(33 * k, kind, k) for k in range(60) for kind in ('image', 'depth')]
    again = [(t, kind, k + 60) for t, kind, k in once]
    pairs = pair(once[:-1] + again)  # image 59 waits for a depth that never comes
    assert pairs == [(k, k if k != 59 else None) for k in range(120)]


def test_a_dead_depth_sensor_holds_back_no_more_than_a_second():
    pairing: Pairing[int] = Pairing(SLOP)
    pairing.add_depth(0, 0)
    out = []
    for k in range(100):
        pairing.add_image(33 * k, k)
        out += pairing.pairs()
        assert k - len(out) < 31
    assert out[0] == (0, 0)
    assert all(d is None for _, d in out[1:])


def test_without_depth_no_image_waits():
    pairing: Pairing[int] = Pairing(SLOP, has_depth=False)
    for k in range(3):
        pairing.add_image(33 * k, k)
        assert list(pairing.pairs()) == [(k, None)]


def test_equal_stamps_leave_at_once_whichever_comes_first():
    pairing: Pairing[int] = Pairing(SLOP)
    for k in range(5):
        pairing.add_image(33 * k, k)
        assert list(pairing.pairs()) == []
        pairing.add_depth(33 * k, k)
        assert list(pairing.pairs()) == [(k, k)]
    for k in range(5, 10):
        pairing.add_depth(33 * k, k)
        pairing.add_image(33 * k, k)
        assert list(pairing.pairs()) == [(k, k)]


def test_near_stamps_leave_at_once_when_the_interval_is_known():
    pairing: Pairing[int] = Pairing(SLOP)
    waited = []
    for k in range(20):
        pairing.add_image(33 * k, k)
        pairing.add_depth(33 * k + 16, k)
        waited.append(k - max((i for i, _ in pairing.pairs()), default=-1))
    assert waited == [1] * 10 + [0] * 10

    pairing.add_image(33 * 20, 20)
    pairing.add_depth(33 * 20 + 17, 20)  # the next image may be nearer to it
    assert list(pairing.pairs()) == []
    pairing.add_image(33 * 21, 21)
    assert list(pairing.pairs()) == [(20, None), (21, 20)]


@given(
    intervals=st.lists(st.integers(40, 60), min_size=30, max_size=60),
    jitter=st.lists(st.integers(-19, 19), min_size=60, max_size=60),
    lost=st.sets(st.integers(0, 59)),
    image_delay=st.integers(0, 200),
    depth_delay=st.integers(0, 200),
)
def test_what_leaves_early_has_the_partner_that_waiting_would_give(
    intervals, jitter, lost, image_delay, depth_delay
):
    images = [sum(intervals[:k]) for k in range(len(intervals))]
    depths = {k: t + jitter[k] for k, t in enumerate(images) if k not in lost}
    rows = [(t + image_delay, t, 'image', k) for k, t in enumerate(images)]
    rows += [(t + depth_delay, t, 'depth', k) for k, t in depths.items()]
    pairs = pair([row[1:] for row in sorted(rows)])
    assert pairs == [(k, k if k in depths else None) for k in range(len(images))]


def test_a_live_camera_waits_for_few_images_and_in_the_end_for_none():
    pairing: Pairing[int] = Pairing(SLOP, waiting=4)
    pairing.add_depth(0, 0)
    held = []
    for k in range(70):
        pairing.add_image(33 * k, k)
        list(pairing.pairs())
        held.append(len(pairing))
    assert max(held[:60]) == 4
    assert held[61:] == [0] * 9
    pairing.add_image(33 * 70, 70)
    pairing.add_depth(33 * 70, 70)
    assert list(pairing.pairs()) == [(70, 70)], 'the sensor is back'


def test_depth_of_the_time_before_is_forgotten_and_that_of_the_new_kept():
    pairing: Pairing[int] = Pairing(SLOP)
    pairing.add_depth(990, 0)
    pairing.add_depth(5, 1)
    pairing.forget_above(500)
    pairing.add_image(0, 0)
    pairing.add_image(33, 1)
    assert list(pairing.pairs()) == [(0, 1)], 'the second waits: no depth has passed it'
