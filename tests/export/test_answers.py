"""What scikit-learn is asked for, and whether it knows the schema's classes."""

import numpy as np
import pytest

from src.errors import ExportError
from src.export.answers.classification import check_fitted, expected
from src.export.pipeline import to_frame
from tests.fitted import Fitted


def test_a_pipeline_and_its_model_are_asked_alike(iris_forest: Fitted) -> None:
    frame = to_frame(iris_forest.schema, iris_forest.rows)
    matrix = iris_forest.pipeline[:-1].transform(frame)

    whole = expected(iris_forest.pipeline, frame, iris_forest.schema)
    model = expected(iris_forest.pipeline[-1], matrix, iris_forest.schema)

    names = [iris_forest.schema.classes[label] for label in whole.labels]
    assert names == iris_forest.pipeline.predict(frame).tolist()
    assert whole.labels.dtype == np.int64
    assert whole.labels.tolist() == model.labels.tolist()
    assert whole.scores.tobytes() == model.scores.tobytes()
    assert whole.scores.tobytes() == iris_forest.pipeline.predict_proba(frame).tobytes()


def test_a_model_of_other_classes_is_refused(iris_forest: Fitted) -> None:
    model, schema = iris_forest.pipeline[-1], iris_forest.schema
    check_fitted(model, schema)
    turned = schema.model_copy(update={"classes": schema.classes[::-1]})

    with pytest.raises(ExportError, match=r"^model: classes are \['setosa', .*; allowed: \['virginica', "):
        check_fitted(model, turned)
