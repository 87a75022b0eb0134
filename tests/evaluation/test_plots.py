import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from src.evaluation.measures.classification import Report, measure
from src.evaluation.plots.canvas import importance_bars, to_png
from src.evaluation.plots.classification import confusion_matrix, figures


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def drawn(classes: int) -> dict[str, Figure]:
    labels = np.arange(4 * classes) % classes
    scores = np.eye(classes)[labels] * 0.5 + 0.5 / classes
    names = [f"class {place}" for place in range(classes)]
    return pictures_of(labels, scores, names, {"x": 0.2, "a name that is longer than its place": -0.1})


def pictures_of(
    labels: NDArray[np.int64], scores: NDArray[np.float64], names: list[str], importances: dict[str, float]
) -> dict[str, Figure]:
    measured = measure(labels, np.roll(labels, 1), scores, names)
    return figures(Report(**dict(measured), baseline=measured, importances=importances), "lost")


def test_every_picture_can_be_drawn_for_two_classes_and_for_a_hundred() -> None:
    for classes in (2, 100):
        pictures = drawn(classes)

        assert list(pictures) == [
            "confusion_matrix.png",
            "precision_recall.png",
            "importances.png",
            "calibration.png",
        ]
        for picture in pictures.values():
            pixels = imread(io.BytesIO(to_png(picture)))
            assert pixels.min() < 0.5 < pixels.max()


def test_any_name_can_be_drawn(recwarn: pytest.WarningsRecorder) -> None:
    labels = np.arange(12) % 3
    scores = np.eye(3)[labels] * 0.5 + 1 / 6
    names = [r"$\frac$", "$5-$10", "高い"]

    pictures = pictures_of(labels, scores, names, {"年齢": 0.2, "क्षेत्र": 0.1})

    assert all(to_png(picture) for picture in pictures.values())
    assert [str(warning.message) for warning in recwarn] == []


def test_the_same_measures_give_the_same_bytes() -> None:
    first, second = drawn(3), drawn(3)

    assert {name: to_png(figure) for name, figure in first.items()} == {
        name: to_png(figure) for name, figure in second.items()
    }


def test_the_confusion_matrix_holds_its_numbers_unless_there_are_too_many() -> None:
    few = confusion_matrix([[5, 1], [0, 7]], ["no", "yes"])
    many = confusion_matrix(np.eye(16, dtype=int).tolist(), [str(place) for place in range(16)])

    assert texts(few) == ["5", "1", "0", "7"]
    assert [label.get_text() for label in few.axes[0].get_yticklabels()] == ["no", "yes"]
    assert texts(many) == []


def test_the_most_important_columns_come_first_and_long_names_are_cut() -> None:
    values = {f"c{place:02}": place / 100 for place in range(30)}
    names = importance_bars({**values, "n" * 30: 9.0}, "lost").axes[0].get_yticklabels()

    assert [label.get_text() for label in names][:3] == ["n" * 23 + "…", "c29", "c28"]
    assert len(names) == 20
