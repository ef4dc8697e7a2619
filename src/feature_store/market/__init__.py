"""Many symbols and timeframes live, in one structure."""
