"""What drift is computed from: rows counted in the bins of training, and how full those were then."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from src.monitoring.bins import NumericProfile, bin_names, bin_of
from src.monitoring.profile import Profile
from src.schema.columns import Schema
from src.schema.features import Features
from src.tasks import TaskName, side

Count = Callable[[float], Any]  # adds to one counter


class RowCounter:
    """Counts rows, per feature and bin, with everything looked up beforehand.

    Four counters of Prometheus' client take longer than the model of iris does; so rows that come one by
    one are noted in lists, and the counters are told of many at once.

    Args:
        counter: gives what counts for a feature and a bin.
        later: is told, at the first row after each `flush`, what to call to have the next.
        watched: the features that are counted; None: all.
    """

    def __init__(
        self,
        profile: Profile,
        schema: Schema,
        counter: Callable[[str, str], Count],
        later: Callable[[Callable[[], None]], None] | None = None,
        watched: Container[str] | None = None,
    ) -> None:
        self._numeric: list[tuple[NumericProfile, list[float], list[int], list[Count]]] = []
        self._categorical: list[tuple[Mapping[str, int], list[int], list[Count]]] = []
        self._later = later
        self._flushed = True
        known = {column.name: column.categories for column in schema.categorical}
        numbers, texts = ([one.name for one in columns] for columns in (schema.numeric, schema.categorical))
        # Where those that are counted stand in their matrix; None: all of them are.
        self._numeric_places, self._categorical_places = _places(numbers, watched), _places(texts, watched)
        for name in (*numbers, *texts):  # a file of JSON keeps no order
            if watched is not None and name not in watched:
                continue
            one = profile.features[name]
            counts = [counter(name, label) for label in bin_names(one)]
            noted = [0] * len(counts)
            if isinstance(one, NumericProfile):
                self._numeric.append((one, list(one.edges), noted, counts))
            else:
                spelled = ["", *known[name]]
                places = one.bins(np.array(spelled, dtype=np.object_), known[name]).tolist()
                self._categorical.append((dict(zip(spelled, places, strict=True)), noted, counts))

    def count(self, features: Features) -> None:
        """Note one row; by one thread alone, the one that flushes."""
        values = features.numeric[0].tolist()
        if self._numeric_places is not None:
            values = [values[place] for place in self._numeric_places]
        for value, (_, edges, noted, _) in zip(values, self._numeric, strict=True):
            noted[bin_of(edges, value)] += 1
        if self._categorical:
            texts = features.categorical[0]
            if self._categorical_places is not None:
                texts = texts[self._categorical_places]
            for text, (places, noted, _) in zip(texts, self._categorical, strict=True):
                noted[places.get(text, len(noted) - 2)] += 1
        if self._flushed:
            self._flushed = False
            if self._later is not None:
                self._later(self.flush)

    def flush(self) -> None:
        """Tell the counters of the rows that were noted."""
        self._flushed = True
        numbers = [(noted, counts) for _, _, noted, counts in self._numeric]
        texts = [(noted, counts) for _, noted, counts in self._categorical]
        for noted, counts in numbers + texts:
            add(counts, noted)
            noted[:] = [0] * len(noted)

    def count_all(self, features: Features) -> None:
        """Count each of many rows, at once; by any thread."""
        numeric, categorical = features.numeric, features.categorical
        if self._numeric_places is not None:
            numeric = numeric[:, self._numeric_places]
        if self._categorical_places is not None:
            categorical = categorical[:, self._categorical_places]
        for position, (number, _, _, counts) in enumerate(self._numeric):
            found = number.bins(numeric[:, position])
            add(counts, np.bincount(found, minlength=len(counts)).tolist())
        for position, (known, _, counts) in enumerate(self._categorical):
            places = [known.get(text, len(counts) - 2) for text in categorical[:, position]]
            add(counts, np.bincount(places, minlength=len(counts)).tolist())


def _places(names: Sequence[str], watched: Container[str] | None) -> list[int] | None:
    places = [place for place, name in enumerate(names) if watched is None or name in watched]
    return None if len(places) == len(names) else places


def add(counts: Iterable[Count], numbers: Iterable[int]) -> None:
    """Add each of `numbers` to the counter in its place."""
    for count, number in zip(counts, numbers, strict=True):
        if number:
            count(number)


class Reference(Collector):
    """The shares that training saw, of the model in service alone."""

    def __init__(self) -> None:
        self._current: tuple[str, Profile, TaskName, Container[str] | None] | None = None

    def show(
        self,
        version: str,
        profile: Profile | None,
        task: TaskName,
        watched: Container[str] | None = None,
    ) -> None:
        """Show the shares of `profile`, of the model `version`; None shows nothing."""
        self._current = None if profile is None else (version, profile, task, watched)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        current = self._current
        if current is None:
            return
        version, profile, task, watched = current
        rows = GaugeMetricFamily(
            "model_feature_reference_share",
            "Share of the training's rows.",
            labels=["version", "feature", "bin"],
        )
        for feature, one in profile.features.items():
            if watched is not None and feature not in watched:
                continue
            for name, share in zip(bin_names(one), one.shares, strict=True):
                rows.add_metric([version, feature, name], share)
        yield rows
        yield side("src.monitoring.answers", task).reference(version, profile.predictions)
