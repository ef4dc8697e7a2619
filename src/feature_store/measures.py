"""What a recorder measures by, in one place for who counts and for who renders: buckets, quantiles, states."""

BUCKETS = (
    *(5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3),
    *(1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Upper bounds of the histogram's buckets, in seconds."""

QUANTILES = (0.5, 0.95, 0.99)
BREAKER_STATES = ("closed", "half_open", "open")
