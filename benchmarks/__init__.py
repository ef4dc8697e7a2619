"""Every number that README and docs claim, measured side by side with its peer in one run: `make bench`."""
