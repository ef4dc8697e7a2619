from hypothesis import given
from hypothesis import strategies as st

from feature_store.recent import Recent


def test_the_least_recently_used_is_forgotten_first():
    recent = Recent[str, int](budget=3)
    for name in "abc":
        recent.put(name, ord(name), nbytes=1)
    recent.get("a")
    recent.put("d", 4, nbytes=1)
    assert [recent.get(name) is not None for name in "abcd"] == [True, False, True, True]


def test_a_value_in_place_of_another_counts_once():
    recent = Recent[str, int](budget=10)
    recent.put("a", 1, nbytes=6)
    recent.put("a", 2, nbytes=7)
    assert (recent.get("a"), recent.nbytes) == (2, 7)


def test_a_value_larger_than_the_budget_is_not_kept():
    recent = Recent[str, int](budget=5)
    recent.put("a", 1, nbytes=2)
    recent.put("b", 1, nbytes=6)
    assert (recent.get("b"), recent.nbytes) == (None, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=40), st.integers(0, 10))
def test_bytes_never_exceed_the_budget_and_are_those_of_what_is_held(puts, budget):
    recent, sizes = Recent[int, int](budget), {}
    for key, nbytes in puts:
        recent.put(key, nbytes, nbytes)
        sizes[key] = nbytes
    held = {key for key in sizes if recent.get(key) is not None}
    assert recent.nbytes == sum(sizes[key] for key in held) <= budget
    recent.clear()
    assert (recent.nbytes, recent.get(0)) == (0, None)
