"""Named sets of features, and the tables in which features are kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feature_store.errors import ConflictError, DataNotFoundError, FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.catalog import parse
from feature_store.materialize import Filling, set_id
from feature_store.store.feature_sets import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from feature_store.bars import Symbol, Timeframe
    from feature_store.cache_file import CacheFile
    from feature_store.indicators.registry import Registry
    from feature_store.store.protocol import FeatureBlock, Store
    from feature_store.virtual import VirtualFeatures

    Namer = Callable[[Timeframe], str]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MENTION = re.compile(r"[a-z][a-z0-9_]{0,63}(:v[1-9][0-9]{0,5})?")


class Kept:
    """What of a store's features is kept under a name or in a table.

    Args:
        store: where sets and tables are.
        virtual: computes features.
        done: what tables were made of, for the next run.
    """

    def __init__(self, store: Store, virtual: VirtualFeatures, done: CacheFile) -> None:
        self._store = store
        self._virtual = virtual
        self._done = done

    def __repr__(self) -> str:
        return f"<Kept in {self._store!r}>"

    def register(self, name: str, features: Iterable[str], description: str) -> FeatureSet:
        """Add a set, or its next version where its content is other than the newest's; return it.

        Raises InvalidRequestError for a name that is not a word, ConflictError for that of an indicator, and what `parse` does.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            msg = f"a set's name must be a word of small letters, digits and _ such as trend, was {name!r:.80}"
            raise InvalidRequestError(msg, field="name")
        registry = self._virtual.registry()
        if _is_feature(name, registry):
            msg = f"{name} is the name of an indicator; give the set another one"
            raise ConflictError(msg, field="name")
        parsed = [parse(each, registry) for each in features]
        if not parsed:
            msg = f"{name} needs at least one feature, such as sma_50"
            raise InvalidRequestError(msg, field="features")
        versions = {column: feature.version for feature in parsed for column in feature.columns}
        draft = FeatureSet(name, 0, tuple(feature.asked for feature in parsed), versions, description)
        return self._store.sets.register(draft)

    def sets(self) -> list[FeatureSet]:
        """Return the newest version of every set."""
        return self._store.sets.all()

    def find(self, features: Iterable[str] | str) -> FeatureSet | None:
        """Return the set that a text names, `trend` or `trend:v1`; None for ids of features.

        Raises FeatureNotFoundError where a definition has changed since the set was registered.
        """
        if not isinstance(features, str) or not _MENTION.fullmatch(features.strip()):
            return None
        text = features.strip()
        if _is_feature(text, self._virtual.registry()):
            return None
        found = self._store.sets.find(text)
        if found is not None:
            self._refuse_changed(found)
        return found

    def filling(self, timeframe: Timeframe, features: tuple[str, ...], kept: FeatureSet | None) -> Filling:
        """Return how to keep features, under their set's name where they have one."""
        return Filling(
            self._virtual, self._store.features, self._done, timeframe, features, self._namer(features, timeframe, kept)
        )

    def read(
        self, symbol: Symbol, timeframe: Timeframe, features: tuple[str, ...], kept: FeatureSet | None
    ) -> FeatureBlock:
        """Return what was kept last of features; raises DataNotFoundError where nothing was."""
        view = self._virtual.view(symbol, timeframe, None)
        name = self._namer(features, timeframe, kept)(view.stored)
        block = self._store.features.read(symbol, timeframe, name)
        if block is None:
            what = kept.id if kept is not None else ", ".join(features)
            msg = f"{what} of {symbol} {timeframe} were never materialized; call materialize first"
            raise DataNotFoundError(msg, field="features")
        return block

    def _namer(self, features: tuple[str, ...], timeframe: Timeframe, kept: FeatureSet | None) -> Namer:
        versions = self._virtual.versions(features)

        def name(stored: Timeframe) -> str:
            if kept is None:
                return set_id(versions, stored)
            return kept.table if stored == timeframe else f"{kept.table}_from_{stored}"

        return name

    def _refuse_changed(self, found: FeatureSet) -> None:
        now = self._virtual.versions(found.features)
        changed = [column for column, version in found.versions.items() if now.get(column) != version]
        if changed:
            msg = f"{', '.join(changed)} of {found.id} are defined otherwise now; register it again as its next version"
            raise FeatureNotFoundError(msg, field="features")


def _is_feature(text: str, registry: Registry) -> bool:
    try:
        parse(text, registry)
    except FeatureNotFoundError:
        return False
    except InvalidRequestError:
        return True  # its name is known, and what follows is not as it should be
    return True
