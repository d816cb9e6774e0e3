from collections import Counter
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from tintype.data.sources.fetch import choose

PATHS = [
    f"mini/{half}/n{label:02}/{photo}.JPEG"
    for half in ("train", "val")
    for label in range(9)
    for photo in range(7)
]
numbers = st.none() | st.integers(1, 150)
paths = st.lists(st.from_regex(r"[a-c](/[a-c]){0,3}\.jpg", fullmatch=True), unique=True, max_size=60)


def label(path):
    return PurePosixPath(path).parent.name


def test_no_limit_keeps_all_in_order():
    assert choose(reversed(PATHS), None, None) == sorted(PATHS)


def test_a_class_is_the_parent_folder_whatever_lies_above_it():
    assert Counter(map(label, choose(PATHS, 3, None))) == {f"n{number:02}": 3 for number in range(9)}


def test_a_total_is_spread_over_the_classes():
    assert set(Counter(map(label, choose(PATHS, None, 20))).values()) == {2, 3}


def test_the_choice_is_pinned():
    assert choose(PATHS, 1, 3) == ["mini/train/n03/5.JPEG", "mini/val/n02/1.JPEG", "mini/val/n04/3.JPEG"]


@settings(max_examples=50, deadline=None)
@given(paths, numbers, numbers, st.randoms())
def test_the_choice_depends_on_the_paths_alone_and_keeps_the_limits(all_paths, per_class, total, random):
    chosen = choose(all_paths, per_class, total)
    shuffled = random.sample(all_paths, len(all_paths))
    assert choose(shuffled, per_class, total) == chosen
    assert set(chosen) <= set(all_paths)
    assert max(Counter(map(label, chosen)).values(), default=0) <= (per_class or 1000)
    allowed = sum(min(count, per_class or count) for count in Counter(map(label, all_paths)).values())
    assert len(chosen) == min(allowed, total or allowed)


@settings(max_examples=50, deadline=None)
@given(paths, st.integers(1, 20), st.integers(1, 20), st.integers(1, 60), st.integers(1, 60))
def test_a_larger_subset_keeps_the_photos_of_a_smaller_one(all_paths, per_class, more, total, many):
    assert set(choose(all_paths, per_class, total)) <= set(choose(all_paths, per_class, total + many))
    assert set(choose(all_paths, per_class, None)) <= set(choose(all_paths, per_class + more, None))
    assert set(choose(all_paths, None, total)) <= set(choose(all_paths, None, None))
