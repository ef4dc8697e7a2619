"""What every registered indicator says of itself: its id both ways, its documentation, its examples."""

from __future__ import annotations

import doctest
import re

import feature_store as fs
from feature_store import json_codec
from feature_store.indicators.units import UNITS


def test_an_id_reads_back_as_the_feature_it_spells(feature):
    assert fs.parse(feature.id) == feature
    assert fs.feature(feature.name, feature.parameters) == feature
    for column in fs.parse(feature.id).columns:
        assert fs.parse(column).columns == (column,)
        assert fs.parse(f"{column}:v1@4h").columns == (f"{column}:v1@4h",)


def test_its_documentation_is_complete(definition):
    assert definition.title
    assert definition.source
    assert definition.doc.splitlines()[0].endswith((".", ";"))
    assert ">>> " in definition.doc, "an example that runs"
    assert set(definition.units) <= set(UNITS)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", definition.name)


def test_its_description_says_what_a_caller_needs_and_travels_as_json(definition):
    about = json_codec.loads(json_codec.dumps(definition.describe()))
    assert about["hash"] == definition.content_hash
    assert [output["name"] for output in about["outputs"]] == list(definition.outputs)
    for name, parameter in about["parameters"].items():
        allowed = parameter.get("options") or (parameter["ge"], parameter["le"])
        assert definition.resolve({name: parameter["default"]})[name] == parameter["default"]
        assert len(allowed) > 1, name
    assert about["warmup"] == fs.feature(definition.name).warmup


def test_the_examples_in_its_documentation_run(definition):
    test = doctest.DocTestParser().get_doctest(definition.doc, {"fs": fs}, definition.name, None, None)
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert results.failed == 0, "".join(said)
    assert results.attempted > 0
