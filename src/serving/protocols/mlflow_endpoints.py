"""The endpoints of MLflow's scoring protocol, and those that `mlflow.deployments` calls."""

from collections.abc import Iterator
from http import HTTPStatus

from src.serving.endpoint import NO_MODEL, PROTOCOL_PROBLEMS, Endpoint, answering
from src.serving.problems import Form
from src.serving.protocols import mlflow

_TAG = "MLflow scoring"
_FORM = Form(mlflow.InvocationError, "application/json", mlflow.error_response)


def _endpoints() -> Iterator[Endpoint]:
    """Give the endpoints of MLflow's scoring protocol, and those that `mlflow.deployments` calls."""
    for path, name, summary, missing in (
        ("/invocations", "invocations", "Predict rows, as `mlflow models serve` does.", ()),
        (
            "/endpoints/{name}/invocations",
            "endpoint_invocations",
            "Predict rows, for `mlflow.deployments`.",
            (HTTPStatus.NOT_FOUND,),
        ),
    ):
        yield Endpoint(
            path=path,
            method="POST",
            name=name,
            handler=mlflow.invocations,
            summary=summary,
            description="`dataframe_split`, `dataframe_records`, `instances` or `inputs` in JSON, or CSV.",
            key=True,
            limit="rate_limit_predict_batch",
            body=mlflow.invocation_body,
            answer=mlflow.Predictions,
            problems=(*missing, *PROTOCOL_PROBLEMS),
            form=_FORM,
            tag=_TAG,
        )
    for path, name, function, summary, answer in (
        ("/api/2.0/endpoints", "list_endpoints", mlflow.endpoints, "The model in service.", mlflow.Endpoints),
        ("/api/2.0/endpoints/{name}", "get_endpoint", mlflow.endpoint, "The same by name.", mlflow.Endpoint),
    ):
        yield Endpoint(
            path=path,
            name=name,
            handler=answering(function),
            summary=summary,
            description="For `mlflow.deployments`.",
            key=True,
            limit="rate_limit_model_info",
            answer=answer,
            problems=NO_MODEL,
            form=_FORM,
            tag=_TAG,
        )
    yield Endpoint(
        path="/ping",
        name="ping",
        handler=answering(mlflow.ping),
        summary="Health check of MLflow's clients.",
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
        form=_FORM,
        tag=_TAG,
    )
    yield Endpoint(
        path="/version",
        name="version",
        handler=answering(mlflow.version),
        summary="Version of the software.",
        tag=_TAG,
    )


ENDPOINTS = tuple(_endpoints())
