import pytest

from bench.statistics import percentile, summarize


@pytest.mark.parametrize(
    ("samples", "fraction", "value"),
    [
        ([7], 0.99, 7),
        ([3, 1, 2], 0.5, 2),
        ([4, 1, 3, 2], 0.5, 2.5),
        (range(101), 0.95, 95),
        (range(101), 0, 0),
        (range(101), 1, 100),
        ([0, 10], 0.99, 9.9),
    ],
)
def test_a_percentile_lies_between_its_neighbours(samples, fraction, value):
    assert percentile(samples, fraction) == pytest.approx(value)


@pytest.mark.parametrize(("samples", "fraction"), [([], 0.5), ([1], 1.1), ([1], -0.1)])
def test_a_percentile_of_nothing_or_beyond_all_is_refused(samples, fraction):
    with pytest.raises(ValueError, match="percentile"):
        percentile(samples, fraction)


def test_a_summary_does_not_depend_on_the_order():
    summary = summarize([5.0, 1.0, 4.0, 2.0, 3.0])

    assert (summary.count, summary.minimum, summary.median, summary.maximum) == (5, 1.0, 3.0, 5.0)
    assert summary == summarize([1.0, 2.0, 3.0, 4.0, 5.0])
