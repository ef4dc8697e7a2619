"""The reference of the indicators in `docs/reference`, written from the catalog: `make reference`."""
