"""What every journal does, asked of each."""

import sqlite3
from dataclasses import replace

import pytest

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store import journal as journal_module
from feature_store.store.delta import DeltaStore
from feature_store.store.journal import BadRow, Import, PlaceJournal, SqliteJournal
from feature_store.store.memory import MemoryStore
from feature_store.store.pinned import PinnedStore
from feature_store.store.places import LocalPlace, MemoryPlace

MONDAY = 1_672_617_600_000_000
LINE = BadRow(7, "high is below low", {"high": "1", "low": "2"})
ENTRY = Import(
    symbol="EUR/USD",
    timeframe="1m",
    file="january.zip (january.csv)",
    digest="ab" * 32,
    size=1_000,
    options='{"edition":1}',
    at=MONDAY,
    format="histdata-m1",
    timezone="UTC",
    read=100,
    stored=90,
    duplicates=9,
    bars=90,
    reasons={LINE.reason: 1},
    side="bid",
    notes=("the times fit UTC",),
    first=MONDAY,
    last=MONDAY + 60_000_000,
    held={"2023Q1": 90},
)
KINDS = {
    "memory": lambda _: PlaceJournal(MemoryPlace()),
    "objects": lambda folder: PlaceJournal(LocalPlace(folder)),
    "sqlite": SqliteJournal,
}


@pytest.fixture(params=KINDS)
def journal(request, tmp_path):
    made = KINDS[request.param](tmp_path)
    yield made
    made.close()


def test_an_empty_journal_knows_nothing(journal):
    assert journal.imports() == []
    assert journal.quarantined() == []
    assert journal.seen(ENTRY) is None


def test_an_import_comes_back_as_it_was_recorded_with_its_rows(journal):
    journal.record(ENTRY, [LINE])
    assert journal.imports() == [ENTRY]
    assert journal.rows(ENTRY) == [LINE]
    assert journal.quarantined() == [(ENTRY, LINE)]
    assert journal.imports()[0].quarantined == 1


def test_imports_are_told_by_symbol_and_in_the_order_of_time(journal):
    later, other = replace(ENTRY, at=MONDAY + 5, digest="cd" * 32), replace(ENTRY, at=MONDAY + 1, symbol="USD/JPY")
    for entry in (later, other, ENTRY):
        journal.record(entry)
    assert journal.imports() == [ENTRY, other, later]
    assert journal.imports("USD/JPY") == [other]
    assert journal.imports("GBP/USD") == []


def test_refused_rows_come_newest_import_first_and_no_more_than_asked_for(journal):
    newer = replace(ENTRY, at=MONDAY + 5)
    journal.record(ENTRY, [LINE])
    journal.record(newer, [LINE._replace(row=row) for row in (1, 2)])
    journal.record(replace(ENTRY, at=MONDAY + 9, reasons={}))
    assert [(entry.at, row.row) for entry, row in journal.quarantined()] == [
        (MONDAY + 5, 1),
        (MONDAY + 5, 2),
        (MONDAY, 7),
    ]
    assert len(journal.quarantined(limit=2)) == 2
    assert journal.quarantined("USD/JPY") == []


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "USD/JPY"},
        {"timeframe": "1h"},
        {"digest": "cd" * 32},
        {"size": 999},
        {"options": "{}"},
        {"file": "january.zip (february.csv)"},
    ],
)
def test_a_file_is_known_by_its_bytes_and_by_how_it_was_read_into_which_series(journal, change):
    journal.record(ENTRY)
    assert journal.seen(replace(ENTRY, at=1, read=0, file="another name.zip (january.csv)")) == ENTRY
    assert journal.seen(replace(ENTRY, **change)) is None


def test_of_several_imports_of_a_file_the_newest_is_told(journal):
    newer = replace(ENTRY, at=MONDAY + 5, stored=0)
    journal.record(newer)
    journal.record(ENTRY)
    assert journal.seen(ENTRY) == newer


def test_of_very_many_refused_rows_the_first_are_kept_and_all_are_counted(journal, monkeypatch):
    monkeypatch.setattr(journal_module, "KEPT", 3)
    many = replace(ENTRY, reasons={LINE.reason: 50_000})
    journal.record(many, [LINE._replace(row=row) for row in range(10)])
    assert [row.row for row in journal.rows(many)] == [0, 1, 2]
    assert journal.imports()[0].quarantined == 50_000


def test_recording_an_import_twice_leaves_one(journal):
    journal.record(ENTRY, [LINE, LINE])
    journal.record(ENTRY, [LINE])
    assert (journal.imports(), journal.rows(ENTRY)) == ([ENTRY], [LINE])


@pytest.mark.parametrize("kind", ["objects", "sqlite"])
def test_what_was_recorded_is_there_after_opening_again(kind, tmp_path):
    for _ in range(2):
        journal = KINDS[kind](tmp_path)
        journal.record(ENTRY, [LINE])
        journal.close()
    again = KINDS[kind](tmp_path)
    assert again.quarantined() == [(ENTRY, LINE)]
    again.close()


def test_two_processes_may_have_a_folders_journal_open(tmp_path):
    one, other = SqliteJournal(tmp_path), SqliteJournal(tmp_path)
    one.record(ENTRY)
    assert other.imports() == [ENTRY]
    other.record(replace(ENTRY, at=MONDAY + 1))
    assert len(one.imports()) == 2
    one.close()
    other.close()


def test_a_damaged_journal_is_an_error_that_says_what_to_do(tmp_path):
    journal = SqliteJournal(tmp_path)
    journal.record(ENTRY)
    journal.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        connection.execute('update imports set content = \'{"symbol": "EUR/USD"}\'')
    connection.close()
    with pytest.raises(CorruptDataError, match="bars do not depend on it"):
        journal.imports()
    journal.close()
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 1000)
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(CorruptDataError, match=r"journal\.sqlite is damaged"):
        SqliteJournal(tmp_path).imports()


def test_a_damaged_object_is_an_error_that_names_the_place():
    place = MemoryPlace()
    PlaceJournal(place).record(ENTRY)
    (name,) = place.names()
    place.write_new(name, b"{")
    with pytest.raises(CorruptDataError, match="an import cannot be read"):
        PlaceJournal(place).imports()


def test_an_object_store_that_fails_is_said_in_our_words():
    class Gone(MemoryPlace):
        def inside(self, _folder):
            return self

        def write_new(self, _name, _content):
            raise OSError("no route to host")

        def names(self, _folder=""):
            raise OSError("no route to host")

    journal = PlaceJournal(Gone())
    with pytest.raises(FeatureStoreError, match="no route to host"):
        journal.record(ENTRY)
    with pytest.raises(FeatureStoreError, match="no route to host"):
        journal.imports()


def test_every_store_has_a_journal_and_a_pinned_one_its_stores(tmp_path):
    memory, delta = MemoryStore(), DeltaStore(tmp_path)
    for store in (memory, delta):
        store.journal.record(ENTRY)
        assert PinnedStore(store, {}).journal.imports() == [ENTRY]
        store.close()
    assert (tmp_path / "journal.sqlite").exists()


def test_a_folder_without_imports_has_no_journal_file(tmp_path):
    store = DeltaStore(tmp_path)
    assert store.journal.imports() == []
    store.close()
    assert not (tmp_path / "journal.sqlite").exists()


@pytest.mark.parametrize("kind", ["objects", "sqlite"])
def test_a_flipped_byte_is_an_error_and_never_another_number(tmp_path, kind):
    made = KINDS[kind](tmp_path)
    made.record(ENTRY, [LINE])
    made.close()
    (path,) = (each for each in tmp_path.rglob("*") if each.is_file() and each.name.endswith((".json", ".sqlite")))
    whole = path.read_bytes()
    begin = whole.index(b'"january.zip') - 40
    noticed = 0
    for place in range(begin, min(begin + 700, len(whole)), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        journal = KINDS[kind](tmp_path)
        try:
            assert journal.imports() in ([], [ENTRY])
            assert journal.quarantined() in ([], [(ENTRY, LINE)])
        except FeatureStoreError:
            noticed += 1
        finally:
            journal.close()
    assert noticed > 100
