"""A fitted scikit-learn pipeline as one ONNX graph that answers as it does."""

from sklearn.pipeline import Pipeline

from src.errors import ExportError
from src.export.families.registry import family_of
from src.export.graph import Graph
from src.export.supported import (
    CATEGORY_STEPS,
    NUMERIC_STEPS,
    Branch,
    check_pipeline,
    fitted_branches,
)
from src.schema.columns import Schema


def export(pipeline: Pipeline, schema: Schema) -> bytes:
    """Return the fitted `pipeline`, preprocessing included, as the bytes of an ONNX model.

    Inputs are `numeric` [rows, numbers] double and `categorical` [rows, categories] text, each only if the
    schema has such columns; outputs are `label` [rows] int64, a position in the schema's classes, and
    `scores` [rows, classes] double.

    Raises:
        ExportError: a step, parameter or class is outside what has an exact form.
    """
    check_pipeline(pipeline, schema)
    model = pipeline.named_steps["model"]
    if tuple(model.classes_) != schema.classes:
        raise ExportError(f"model: classes are {list(model.classes_)}; allowed: {list(schema.classes)}")
    graph = Graph()
    parts = [
        _add_branch(graph, branch, schema)
        for branch in fitted_branches(pipeline.named_steps["preprocess"], schema)
    ]
    matrix = graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
    family_of(model).classify(graph, matrix, model)
    return graph.to_bytes(len(schema.numeric), len(schema.categorical), len(schema.classes))


def _add_branch(graph: Graph, branch: Branch, schema: Schema) -> str:
    columns = [column.name for column in (schema.numeric if branch.numeric else schema.categorical)]
    builders = NUMERIC_STEPS if branch.numeric else CATEGORY_STEPS
    positions = [columns.index(name) for name in branch.columns]
    matrix = graph.select("numeric" if branch.numeric else "categorical", positions, len(columns))
    for step in branch.steps:
        matrix = builders[type(step)](graph, matrix, step)
    return matrix
