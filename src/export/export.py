"""A fitted scikit-learn pipeline as one ONNX graph that answers as it does."""

from sklearn.pipeline import Pipeline

from src.export.families.registry import form_of
from src.export.graph import Graph
from src.export.supported import (
    CATEGORY_STEPS,
    NUMERIC_STEPS,
    Branch,
    check_pipeline,
    fitted_branches,
)
from src.runtime.values import inputs
from src.schema.columns import Schema
from src.tasks import side


def export(pipeline: Pipeline, schema: Schema) -> bytes:
    """Return the fitted `pipeline`, preprocessing included, as the bytes of an ONNX model.

    Inputs are `numeric` [rows, numbers] double and `categorical` [rows, categories] text, each only if the
    schema has such columns; outputs are those of the schema's task, see `src/runtime/answers`.

    Raises:
        ExportError: a step, parameter or class is outside what has an exact form.
    """
    check_pipeline(pipeline, schema)
    model = pipeline.named_steps["model"]
    side("src.export.answers", schema.task).check_fitted(model, schema)
    graph = Graph()
    parts = [
        _add_branch(graph, branch, schema)
        for branch in fitted_branches(pipeline.named_steps["preprocess"], schema)
    ]
    matrix = graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
    form_of(model).add(graph, matrix, model)
    outputs = side("src.runtime.answers", schema.task).outputs(schema)
    return graph.to_bytes(inputs(schema), outputs)


def _add_branch(graph: Graph, branch: Branch, schema: Schema) -> str:
    columns = [column.name for column in (schema.numeric if branch.numeric else schema.categorical)]
    builders = NUMERIC_STEPS if branch.numeric else CATEGORY_STEPS
    positions = [columns.index(name) for name in branch.columns]
    matrix = graph.select("numeric" if branch.numeric else "categorical", positions, len(columns))
    for step in branch.steps:
        matrix = builders[type(step)](graph, matrix, step)
    return matrix
