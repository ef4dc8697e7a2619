"""qlib's side of benchmarks/factors.py: its own files, its expressions, no cache."""

import pathlib
from time import process_time

import numpy as np
import qlib
from conversation import converse, seconds
from qlib.config import REG_US
from qlib.data import D
from qlib.data.cache import H


def fill(home, arrays):
    """Write the bars of an `.npz` file, arrays of instruments x days, as qlib's own scripts lay them out, and open them."""
    columns = np.load(arrays)
    days = columns["days"].astype("M8[D]").astype(str)
    root = pathlib.Path(home)
    names = [f"S{place:03}" for place in range(len(columns["close"]))]
    write(root / "calendars" / "day.txt", "\n".join(days))
    write(root / "instruments" / "all.txt", "\n".join(f"{name}\t{days[0]}\t{days[-1]}" for name in names))
    for place, name in enumerate(names):
        folder = root / "features" / name.lower()
        folder.mkdir(parents=True)
        for field in ("open", "high", "low", "close", "volume"):
            np.hstack([[0], columns[field][place]]).astype("<f4").tofile(folder / f"{field}.day.bin")
    qlib.init(provider_uri=home, region=REG_US, kernels=1, expression_cache=None, dataset_cache=None, logging_level=30)
    return len(names)


def write(path, text):
    """Write a text file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def factors(fields, start, end):
    """Compute the fields of all instruments with nothing in memory; returns processor seconds and how many values there are."""
    H.clear()
    took, frame = seconds(lambda: D.features(D.instruments("all"), fields, start, end, disk_cache=0), process_time)
    return took, int(frame.size)


def values(instrument, fields, start, end):
    """Return the values of one instrument, a list a field; None where there is none."""
    frame = D.features([instrument], fields, start, end, disk_cache=0)
    return [[None if np.isnan(value) else float(value) for value in frame[field]] for field in fields]


if __name__ == "__main__":
    converse(fill, factors, values)
