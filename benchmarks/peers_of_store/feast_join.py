"""Feast's side of benchmarks/joins.py: a repository as its quickstart makes one, features in Parquet, a historical join."""

import pathlib
from datetime import timedelta

import pandas as pd
from conversation import converse, resident, seconds
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

held = {}


def fill(home, parquet, columns, offline):
    """Register the columns of a Parquet file (symbol, event_timestamp, features) with an offline store, `dask` or `duckdb`."""
    root = pathlib.Path(home)
    root.mkdir(parents=True)
    held["store"] = FeatureStore(
        config=RepoConfig(
            project="fx",
            provider="local",
            registry=str(root / "registry.db"),
            offline_store={"type": offline},
            online_store={"type": "sqlite", "path": str(root / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    pair = Entity(name="pair", join_keys=["symbol"], value_type=ValueType.STRING)
    view = FeatureView(
        name="bars",
        entities=[pair],
        ttl=timedelta(0),  # values do not expire, as ours do not
        schema=[Field(name=column, dtype=Float64) for column in columns],
        source=FileSource(path=parquet, timestamp_field="event_timestamp"),
    )
    held["store"].apply([pair, view])
    held["names"] = [f"bars:{column}" for column in columns]
    held["columns"] = columns
    return len(columns)


def join(events):
    """Join a Parquet file of events (symbol, event_timestamp, row); returns seconds, megabytes more at the worst, and values.

    Values stand in the order of `row`, one list an event.
    """
    entities = pd.read_parquet(events)
    before = resident("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # begin the peak anew
    store, names = held["store"], held["names"]
    took, frame = seconds(lambda: store.get_historical_features(entity_df=entities, features=names).to_df())
    grown = resident("VmHWM") - before
    rows = frame.sort_values("row")[held["columns"]]
    return took, grown, [[None if pd.isna(value) else value for value in row] for row in rows.to_numpy().tolist()]


if __name__ == "__main__":
    converse(fill, join)
