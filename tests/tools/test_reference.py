"""The reference is what the catalog says: pages and pictures on the disk are what would be written now."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tools.reference import picture, sample, svg
from tools.reference.documents import pictures
from tools.reference.pages import FOLDER, by_family, file_of, pages

BEHIND = "docs/reference is behind the catalog; run: make reference"
PICTURES_AT_MOST = 1_500_000
FILES = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*")}
each_family = pytest.mark.parametrize("group", by_family())


@pytest.fixture(scope="module")
def written():
    return pages()


@pytest.mark.parametrize("name", ["README.md", *map(file_of, by_family())])
def test_a_page_says_what_the_catalog_says(name, written):
    assert (FOLDER / name).read_text("utf-8") == written[name], BEHIND


@each_family
def test_pictures_are_what_would_be_drawn(group):
    for name, drawn in pictures(group).items():
        assert (FOLDER / name).read_text("utf-8") == drawn, f"{name}: {BEHIND}"


def test_there_is_no_file_of_an_indicator_that_is_gone(written):
    names = {f"pictures/{each.name}.svg" for members in by_family().values() for each in members}
    assert names | written.keys() == FILES, BEHIND


@each_family
def test_every_indicator_has_its_place_in_its_page_and_in_the_index(group, written):
    page = written[file_of(group)]
    for each in by_family()[group]:
        assert f"({file_of(group)}#{each.name})" in written["README.md"]
        assert f"\n## {each.name}\n" in page or f'<a id="{each.name}"></a>' in page
        assert f"(pictures/{each.name}.svg)" in page
        assert each.title in page


def test_links_within_the_pages_lead_to_a_heading(written):
    for name, text in written.items():
        for target, anchor in re.findall(r"\]\(([\w-]*\.md)?#([\w-]+)\)", text):
            there = written[target or name]
            headings = {line.lstrip("# ").lower().replace(" ", "-") for line in there.splitlines() if line[:1] == "#"}
            assert anchor in headings or f'<a id="{anchor}"></a>' in there, f"{name}: #{anchor}"


def test_pictures_are_well_formed_alone_and_small():
    paths = sorted((FOLDER / "pictures").glob("*.svg"))
    for path in paths:
        root = ET.fromstring(path.read_text("utf-8"))
        assert root.get("viewBox") == f"0 0 {root.get('width')}0 {root.get('height')}0"
        assert not re.search(r"nan|inf|href|script|style", path.read_text("utf-8").split("</title>")[1]), path
    assert sum(path.stat().st_size for path in paths) < PICTURES_AT_MOST


def test_every_output_is_in_the_picture_of_its_indicator():
    for each in (each for members in by_family().values() for each in members if each.outputs != sample.PRICES):
        said = (FOLDER / "pictures" / f"{each.name}.svg").read_text("utf-8")
        unnamed = {name for name in each.outputs if not re.search(rf"\b{name}\b", said)}
        assert {name for name in unnamed if not name.endswith("bars")} <= {"value"}, each.name


# ---------------------------------------------------------------- parts of a picture
def test_a_line_is_broken_where_a_value_is_not_known():
    assert svg.line([(0, 5), (10, 3), (20, None), (30, 4)]) == "M0 5l10-2M30 4"


def test_stairs_join_equal_values():
    assert svg.stairs([(5, 10), (15, 10), (25, 40), (35, None)], 10) == "M0 10h20v30h10"


def test_strokes_are_left_out_where_they_have_no_length():
    assert svg.strokes([(0, 10, 30), (10, 20, 20), (20, 40, 10)]) == "m0 10v20m20 10v-30"


def test_a_window_without_an_event_moves_to_the_last_one():
    quiet = np.zeros(5000)
    busy = quiet.copy()
    busy[700:703] = 1.0
    assert sample.window({"value": quiet}) == slice(sample.START, sample.START + sample.BARS)
    rows = sample.window({"value": busy})
    assert rows.start < 700 < rows.stop
    assert rows.stop - rows.start == sample.BARS


def test_a_price_told_late_is_drawn_where_it_was():
    prices, ages = np.full(sample.BARS, 2.0), np.arange(sample.BARS) - 4.0
    prices[100:], ages[100:] = 4.0, np.arange(60) + 10.0
    ages[:4] = 200.0
    legs = picture._where_they_were([(prices, ages)])
    assert np.isnan(legs[[3, 91]]).all()
    assert legs[[4, 47, 90]].tolist() == [2.0, 3.0, 4.0]
