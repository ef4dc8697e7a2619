"""The store's face: bars in, bars and features out, as known at any moment.

store = open("./market")
store.ingest("EUR/USD", "1h", bars)
store.features("EUR/USD", "1h", ["sma_50", "atr_14@4h"], "2023-01-01", "2023-01-31")
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from feature_store.answering import Answers, attributes
from feature_store.bars import TIMEFRAMES, Symbol, Timeframe
from feature_store.cache_file import CacheFile
from feature_store.errors import DataNotFoundError, FeatureStoreError, InvalidRequestError
from feature_store.forms import Form, check_form, in_form
from feature_store.indicators.catalog import catalog, parse
from feature_store.indicators.custom import Draft
from feature_store.ingest.finding import files_of
from feature_store.ingest.frames import table_of
from feature_store.ingest.pipeline import Wish, ingest_files, ingest_frame
from feature_store.ingest.report import IngestReport
from feature_store.inspection import Inspection, inspect
from feature_store.kept import Kept
from feature_store.states import States
from feature_store.store.durable import make_folder
from feature_store.store.memory import MemoryStore
from feature_store.store.pinned import PinnedStore
from feature_store.store.places import is_address
from feature_store.store.protocol import deletion
from feature_store.times import to_microseconds, to_range
from feature_store.virtual import VirtualFeatures
from feature_store.wire import FeatureRequest, Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from feature_store.dataset.manifest import Manifest
    from feature_store.dataset.question import MaxAge
    from feature_store.dataset.training_set import TrainingSet
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry
    from feature_store.materialize import MaterializeReport, Progress
    from feature_store.store.feature_sets import FeatureSet
    from feature_store.store.journal import BadRow, Import
    from feature_store.store.protocol import CompactReport, Series, Store
    from feature_store.store.snapshot import Pin

MEMORY = ":memory:"
CACHE = "computed.sqlite"
_BUDGET = 512 * 2**20


def open(  # noqa: A001  the public name is feature_store.open
    home: str | Path, *, budget: int = _BUDGET, storage_options: Mapping[str, str] | None = None
) -> FeatureStore:
    """Return the store in a folder, which is created if need be, in an object store, or in memory for `":memory:"`.

    Args:
        home: the folder, or an address such as `s3://bucket/market`. Any number of processes read it; of a folder the first
            that writes keeps others from writing until it closes, in an object store writers take turns by themselves.
        budget: bytes of computed features to keep in memory.
        storage_options: what gets into the object store, such as `{"aws_region": "eu-central-1"}`; the AWS_* variables of the
            environment count where it says nothing.

    Raises InvalidRequestError when `home` cannot be one of these.
    """
    if str(home) == MEMORY:
        return FeatureStore(MemoryStore(), budget=budget)
    from feature_store.store.delta import DeltaStore  # noqa: PLC0415  deltalake takes a while to load

    if is_address(home):
        return FeatureStore(DeltaStore(str(home), options=storage_options), budget=budget)
    folder = Path(home).expanduser().resolve()
    try:
        make_folder(folder)
    except OSError as problem:
        msg = f"home must be a folder that can be written to, was {str(home)!r} ({problem.strerror})"
        raise InvalidRequestError(msg, field="home") from problem
    return FeatureStore(DeltaStore(folder), budget=budget, cache=CacheFile(folder / CACHE))


class FeatureStore:
    """Bars of many series and the features of them. Safe to share among threads; close it, or use it in a `with`.

    Args:
        store: where the bars are.
        budget: bytes of computed features to keep in memory.
        cache: where to keep what can be computed anew, for the next process.
        clock: the time now, in UTC microseconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        budget: int = _BUDGET,
        cache: CacheFile | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._store = store
        self._cache = CacheFile(None) if cache is None else cache
        self._virtual = VirtualFeatures(store, budget, States(self._cache))
        self._answers = Answers(self._virtual, clock)
        self._kept = Kept(store, self._virtual, self._cache)
        self._clock = clock
        self._closed = False

    def __repr__(self) -> str:
        return f"<FeatureStore {self._store!r}{' closed' if self._closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other processes write; asking a closed store is an error."""
        self._closed = True
        self._virtual.clear()
        self._cache.close()
        self._store.close()

    # ---------------------------------------------------------------- in
    def ingest(
        self,
        symbol: str,
        timeframe: str | None,
        bars: Any,
        known_at: Any = None,
        source: str = "",
        *,
        tz: str | None = None,
        format: str | None = None,  # noqa: A002  the field's word, as in --format
        dry_run: bool = False,
        again: bool = False,
    ) -> IngestReport:
        """Add bars, or ticks made into bars; what is stored is on the disk at return.

        Args:
            symbol: such as `EUR/USD`, in any common spelling.
            timeframe: such as `1h`; None means what the rows are, and minutes for ticks.
            bars: rows in any order: a pandas, polars or Arrow frame, a dict of arrays, or `Bars`, columns in any common
                spelling; ticks, in order, with `time`, `bid` and `ask`; or the name of a file, a folder or a pattern, in any
                of the formats that `ingest.source` lists.
            known_at: when these values were learned, unless the bars have a column `known_at`. None means when each bar
                closed, an assumption that is marked. Of the rows of one time the latest `known_at` wins, whatever order
                they came in; a tie goes to the later arrival. So a corrected file brought once more replaces what was
                assumed, and an observed value outlives an assumed one.
            source: who said so; the file's name if it is a file.
            tz: the time zone of times that carry none, such as `Europe/Athens`, or a server's clock, such as `UTC+2/EU`. None
                means UTC for a frame; for a file, what its format fixes, or the clock that its weekends show.
            format: the file's format where it does not tell itself.
            dry_run: whether to count only what would be stored.
            again: whether to read a file that was imported before and whose rows are all there.

        Rows that break a rule are quarantined in the report, each with its place and the reason. Rows known already, with the
        same `known_at` and values, are duplicates and are not written again.

        Raises UnsupportedFileError, ConflictError (a file of another symbol or timeframe), InvalidRequestError,
        StoreLockedError (another process writes), CorruptDataError.
        """
        wish = self._wish(symbol, timeframe, known_at, tz, format, dry_run=dry_run, again=again, source=source)
        if isinstance(bars, str | Path):
            reports = []
            for _, done in ingest_files(self._store, files_of([bars]), wish, self._clock()):
                if isinstance(done, FeatureStoreError):
                    raise done
                reports.append(done)
            return IngestReport.together(reports)
        return ingest_frame(self._store, table_of(bars), wish, self._clock())

    def ingest_files(
        self,
        symbol: str,
        files: Iterable[str | Path],
        timeframe: str | None = None,
        *,
        known_at: Any = None,
        tz: str | None = None,
        format: str | None = None,  # noqa: A002  the field's word, as in --format
        dry_run: bool = False,
        again: bool = False,
        tell: Callable[[Path, int], None] = lambda _file, _bytes: None,
    ) -> Iterator[tuple[Path, IngestReport | FeatureStoreError]]:
        """Add the rows of many files, and yield each one's report, or why it cannot be read, as soon as it is done.

        A zip with several data files yields one for each. Ticks are taken in the order of time, and a bar that begins in one
        file goes on in the next. `tell` hears of the bytes of each file as they are read; for the rest see `ingest`.
        """
        wish = self._wish(symbol, timeframe, known_at, tz, format, dry_run=dry_run, again=again)
        yield from ingest_files(self._store, files_of(files), wish, self._clock(), tell)

    def delete(self, symbol: str, timeframe: str, start: Any, end: Any, known_at: Any = None) -> int:
        """Take back the bars that open from `start` up to `end`, and return how many; they stay in what was known before.

        Args:
            symbol: such as `EUR/USD`.
            timeframe: one that is stored; bars made of lower ones are taken back there.
            start: the first bar's open, or None for the beginning.
            end: exclusive; a bare date covers its day; None for the end.
            known_at: when it was learned that there are no such bars; now by default.

        A bar that comes in again with a later `known_at` is there again. Raises DataNotFoundError where no such series is
        stored, and what a write raises.
        """
        request = self._asked(symbol, timeframe, start, end)
        now = self._clock() if known_at is None else to_microseconds(known_at, "known_at")
        snapshot = self._store.snapshot(request.symbol, request.timeframe)
        if snapshot is None:
            msg = f"{request.symbol} {request.timeframe} is not stored, so nothing of it can be deleted; see `symbols`"
            raise DataNotFoundError(msg, field="symbol")
        gone = deletion(snapshot.read(request.start, request.end), now)
        return self._store.write(request.symbol, request.timeframe, gone) if len(gone) else 0

    def flush(self) -> int:
        """Move the latest rows to the Delta tables, where other programs read them; return how many those were."""
        self._refuse_closed()
        return self._store.flush()

    def compact(self) -> CompactReport:
        """Flush, put the many files of long use together into few, and remove those out of use for a week."""
        self._refuse_closed()
        return self._store.compact()

    # ---------------------------------------------------------------- out
    def bars(
        self, symbol: str, timeframe: str, start: Any = None, end: Any = None, as_of: Any = None, as_: Form = "pandas"
    ) -> Any:
        """Return the closed bars that open from `start` up to `end`, as known at `as_of` (default: now).

        Spread, bid and ask are there where the source gave any in that range.

        A timeframe that is not stored is made from the highest stored one that divides it. Raises DataNotFoundError when
        there are none, naming what there is.
        """
        return self._answers.formed(self._asked(symbol, timeframe, start, end), as_of, as_)

    def features(
        self,
        symbol: str,
        timeframe: str,
        features: Iterable[str] | str,
        start: Any = None,
        end: Any = None,
        as_of: Any = None,
        as_: Form = "pandas",
    ) -> Any:
        """Return one column for each output of the features, a row for each bar that opens from `start` up to `end`.

        Values are computed from the series' first bar, so they do not depend on the range; rows before a feature's warm-up are
        NaN. A feature such as `atr_14@4h` or `rsi_14@GBPUSD` is that of the last such bar that had closed when the row's own
        bar closed; `correl_50@GBPUSD` compares bars of the same time. `indicators.feature` has the grammar of ids.

        Raises FeatureNotFoundError, InvalidRequestError, and DataNotFoundError as `bars` does.
        """
        request = self._asked(symbol, timeframe, start, end, features)
        _refuse_no_features(request)
        return self._answers.formed(request, as_of, as_)

    def request(
        self, symbol: str, timeframe: str, start: Any = None, end: Any = None, features: Iterable[str] | str = ()
    ) -> FeatureRequest:
        """Return the question that these words ask, the features of a set in the place of its name; raises as `features`."""
        return self._asked(symbol, timeframe, start, end, features)

    def frame(self, request: FeatureRequest, as_of: Any = None) -> Frame:
        """Return the answer to a request as it goes over the wire: features, or bars where it names none."""
        self._refuse_closed()
        return self._answers.frame(request, as_of)

    # ---------------------------------------------------------------- custom indicators
    def register(
        self,
        name: str,
        expression: str | Mapping[str, str],
        parameters: Mapping[str, Any] | None = None,
        *,
        title: str = "",
        unit: str | Mapping[str, str] = "index",
        description: str = "",
    ) -> Definition:
        """Add an indicator of your own; it is on the disk at return, and asked for like any other.

        Args:
            name: the first part of its ids; no built-in can be hidden.
            expression: such as `zscore(close - ema(close, n), n)` (`indicators.expression` has the language), or several by
                the name of their output, of which a later one may use the earlier ones.
            parameters: by name, in the order in which ids spell them: `Int`, `Real`, `Choice`, or plain data as their
                `describe` gives.
            title: a few words for a person.
            description: more of them.
            unit: one of `indicators.units.UNITS`, or one for each output.

        Other content under a name is its next version: `spread_z_20` is the newest, `spread_z_20:v1` the first for ever. The
        newest content again is the same version. What it calls keeps the version that it has now.

        Raises InvalidRequestError, which points at the part of the expression that breaks a rule, ConflictError where the name
        is taken or the store has no room for another, and StoreReadOnlyError.
        """
        self._refuse_closed()
        given = {} if parameters is None else parameters
        return self._store.definitions.register(Draft(name, expression, given, title, unit, description))

    @property
    def registry(self) -> Registry:
        """What names mean in this store now: for `fs.parse("spread_z_20", store.registry)`."""
        self._refuse_closed()
        return self._virtual.registry()

    def catalog(self) -> list[Definition]:
        """Return what can be asked for, the newest version of each custom indicator among it."""
        return catalog(registry=self.registry)

    def symbols(self) -> list[Series]:
        """Return what is stored: symbol, timeframe, rows, first and last bar open of each series."""
        self._refuse_closed()
        return self._store.series()

    def inspect(
        self, symbol: str | None = None, timeframe: str | None = None, start: Any = None, end: Any = None
    ) -> list[Inspection]:
        """Return how complete and fresh the stored series are: what the calendar expects, what is missing, what came late.

        Args:
            symbol: one instrument; all by default.
            timeframe: one stored timeframe; all by default.
            start: where to begin; each series' first bar by default.
            end: where to stop; each series' last bar by default.

        Raises DataNotFoundError where nothing stored is meant.
        """
        wanted = None if symbol is None else Symbol.parse(symbol).name
        length = None if timeframe is None else Timeframe.parse(timeframe).name
        first, last = to_range(start, end)
        every = self.symbols()
        meant = [s for s in every if wanted in {None, s.symbol} and length in {None, s.timeframe}]
        if not meant:
            held = ", ".join(f"{series.symbol} {series.timeframe}" for series in every) or "nothing yet"
            what = " ".join(filter(None, (wanted, length))) or "anything"
            msg = f"{what} is not stored; this store holds {held}"
            raise DataNotFoundError(msg, field="symbol")
        snapshots = (self._store.snapshot(Symbol.parse(s.symbol), Timeframe.parse(s.timeframe)) for s in meant)
        return [inspect(each, self._clock(), first, last) for each in snapshots if each is not None]

    def imports(self, symbol: str | None = None) -> list[Import]:
        """Return what was imported from files, of one symbol or all, the oldest first, with the counts of refused rows."""
        self._refuse_closed()
        return self._store.journal.imports(None if symbol is None else Symbol.parse(symbol).name)

    def quarantined(self, symbol: str | None = None, limit: int = 100) -> list[tuple[Import, BadRow]]:
        """Return rows that imports refused, those of the newest import first, with their line, the reason and their values."""
        self._refuse_closed()
        return self._store.journal.quarantined(None if symbol is None else Symbol.parse(symbol).name, limit)

    def generation(self, symbol: Any, timeframe: Any, features: Iterable[str] | str = ()) -> str:
        """Return a word that changes whenever an answer may: with any row that is added of the symbols it looks at."""
        request = self._asked(symbol, timeframe, features=features)
        named = (each for name in request.indicators for each in parse(name, self.registry).symbols)
        symbols = dict.fromkeys((request.symbol, *map(Symbol.parse, named)))
        snapshots = (self._store.snapshot(each, timeframe) for each in symbols for timeframe in TIMEFRAMES)
        return " ".join(
            f"{each.symbol}:{each.timeframe}:{each.edition.rows}:{each.edition.latest_known_at}"
            for each in snapshots
            if each is not None
        )

    # ---------------------------------------------------------------- as it stood
    def pin(self) -> dict[str, dict[str, Pin]]:
        """Return what names the present state of every series for ever, by symbol and timeframe; plain data, fit for JSON."""
        pins: dict[str, dict[str, Pin]] = {}
        for series in self.symbols():
            snapshot = self._store.snapshot(Symbol.parse(series.symbol), Timeframe.parse(series.timeframe))
            if snapshot is not None:
                pins.setdefault(series.symbol, {})[series.timeframe] = snapshot.pin
        return pins

    def at(self, pin: Mapping[str, Mapping[str, Pin]]) -> FeatureStore:
        """Return the store as it stood when `pin` was taken, read only, whatever was added, corrected or deleted since.

        Reading from it raises DataNotFoundError where this store never held what was pinned.
        """
        self._refuse_closed()
        pins = {(symbol, timeframe): rows for symbol, each in pin.items() for timeframe, rows in each.items()}
        return FeatureStore(PinnedStore(self._store, pins), clock=self._clock)

    # ---------------------------------------------------------------- training sets
    def training_set(
        self,
        events: Any,
        features: Iterable[str] | str,
        labels: Any = None,
        timeframe: str = "1h",
        as_of: Any = "event",
        *,
        max_age: MaxAge | Mapping[str, MaxAge] = None,
        status: bool = False,
        ages: bool = False,
        as_: Form = "pandas",
        verify: bool | int = False,
    ) -> TrainingSet:
        """Return events with the features as they were known then, and a manifest that makes the same bytes again.

        Args:
            events: a pandas, polars or Arrow frame or a dict with `symbol` and `time`, in any order; all columns are kept.
                Naive times are UTC, text is ISO 8601, whole numbers are epoch milliseconds.
            features: ids, or the name of a set, as in `features`.
            labels: names of the events' columns of numbers, or `{"ret_4": fs.ForwardReturn(bars=4)}`, which looks ahead and
                adds `label_known_at`.
            timeframe: of the bars that answer.
            as_of: `event`: what `features(..., as_of=time)` says in its last row; a moment: what was known then of the last
                bar that had closed at the event; None: what is known now.
            max_age: `"4h"`, a timedelta, or one for each feature: a value whose bar closed longer before the event is NaN.
            status: add `<column>.status`: why a value is what it is (`dataset.answer.STATUSES`).
            ages: add `<column>.age_s`: seconds from the close of the value's own bar to the event.
            as_: the form of the frame.
            verify: derive all events, or so many, a second, slow way, and raise LeakError for another bit.

        Raises InvalidRequestError naming the row, FeatureNotFoundError, and DataNotFoundError where no event's symbol has bars.
        """
        kept = self._found_set(features)
        from feature_store.dataset.training_set import training_set  # noqa: PLC0415  only those who make sets need it

        asked = features if kept is None else kept.features
        return training_set(
            self._store,
            events,
            asked,
            labels,
            timeframe,
            as_of,
            max_age=max_age,
            status=status,
            ages=ages,
            as_=as_,
            verify=verify,
        )

    def rebuild(
        self, manifest: Manifest, events: Any, *, as_: Form = "pandas", verify: bool | int = False
    ) -> TrainingSet:
        """Return a training set again, to the bit, from the rows it was made of, whatever came in since.

        Raises InvalidRequestError for other events, SnapshotMismatchError for other definitions or bytes, DataNotFoundError
        where the store lacks rows that were there.
        """
        self._refuse_closed()
        from feature_store.dataset.training_set import rebuild  # noqa: PLC0415

        return rebuild(self._store, manifest, events, as_=as_, verify=verify)

    # ---------------------------------------------------------------- kept features
    def register_set(self, name: str, features: Iterable[str], *, description: str = "") -> FeatureSet:
        """Name features that belong together; what takes feature ids takes the name in their place.

        Args:
            name: a word, such as `trend`; no indicator's.
            features: their ids.
            description: for a person.

        Other content under a name is its next version: `trend` is the newest, `trend:v1` the first for ever. Raises
        InvalidRequestError, ConflictError where the name is an indicator's, and what `parse` raises.
        """
        self._refuse_closed()
        return self._kept.register(name, features, description)

    def feature_sets(self) -> list[FeatureSet]:
        """Return the newest version of every named set, by name."""
        self._refuse_closed()
        return self._kept.sets()

    def materialize(self, symbol: str, timeframe: str, features: Iterable[str] | str) -> MaterializeReport:
        """Write features of all bars into a Delta table of their own, adding only rows that are new or changed.

        Args:
            symbol: whose bars.
            timeframe: of the bars.
            features: ids, or the name of a set, whose table then has its name.
        """
        (report,) = self.backfill([symbol], timeframe, features)
        return report

    def backfill(
        self,
        symbols: Iterable[str],
        timeframe: str,
        features: Iterable[str] | str,
        *,
        workers: int | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> Iterator[MaterializeReport]:
        """Bring the tables of many symbols up to date, several at once; yields each symbol's report when it is done.

        Args:
            symbols: whose bars.
            timeframe: of the bars.
            features: ids, or the name of a set.
            workers: how many symbols at once; as many as there are cores by default.
            progress: is told after each part of a series, from the threads that work.

        Stopping it at any point and running it again does what is left. After a correction, only parts from its own forward
        are computed again, and of those only rows with other bits written.
        """
        kept = self._found_set(features)
        requests = [self._asked(symbol, timeframe, features=kept.features if kept else features) for symbol in symbols]
        for request in requests:
            _refuse_no_features(request)
            self._virtual.view(request.symbol, request.timeframe, None)
        if not requests:
            return iter(())
        filling = self._kept.filling(requests[0].timeframe, requests[0].indicators, kept)
        return filling.fill_all([request.symbol for request in requests], workers, progress)

    def materialized(self, symbol: str, timeframe: str, features: Iterable[str] | str, as_: Form = "pandas") -> Any:
        """Return what `materialize` wrote last, without computing it; raises DataNotFoundError where it never ran."""
        check_form(as_)
        kept = self._found_set(features)
        request = self._asked(symbol, timeframe, features=kept.features if kept else features)
        _refuse_no_features(request)
        block = self._kept.read(request.symbol, request.timeframe, request.indicators, kept)
        versions = self._virtual.versions(request.indicators)
        provenance = self._answers.provenance(int(block.time[0]), None, versions)
        columns = {column: block.columns[column] for column in versions}
        return in_form(as_, block.time, columns, attributes(request, provenance))

    # ---------------------------------------------------------------- how
    def _wish(
        self,
        symbol: str,
        timeframe: str | None,
        known_at: Any,
        tz: str | None,
        format_: str | None,
        *,
        dry_run: bool,
        again: bool,
        source: str = "",
    ) -> Wish:
        self._refuse_closed()
        return Wish(
            Symbol.parse(symbol),
            None if timeframe is None else Timeframe.parse(timeframe),
            None if known_at is None else to_microseconds(known_at, "known_at"),
            source,
            tz,
            format_,
            dry_run,
            again,
        )

    def _asked(
        self, symbol: Any, timeframe: Any, start: Any = None, end: Any = None, features: Iterable[str] | str = ()
    ) -> FeatureRequest:
        kept = self._found_set(features)
        return FeatureRequest.of(symbol, timeframe, start, end, features if kept is None else kept.features)

    def _found_set(self, features: Iterable[str] | str) -> FeatureSet | None:
        """Return the set that a text names, or None where it is feature ids."""
        self._refuse_closed()
        return self._kept.find(features) if features else None

    def _refuse_closed(self) -> None:
        if self._closed:
            msg = f"{self!r} was closed; open it again"
            raise InvalidRequestError(msg)


def _refuse_no_features(request: FeatureRequest) -> None:
    if not request.indicators:
        msg = "name at least one feature, such as sma_50; `bars` gives the bars alone"
        raise InvalidRequestError(msg, field="features")
