"""Every endpoint of the API; routes, limits, labels of metrics, documents and ingress follow from here."""

from collections.abc import Iterator
from http import HTTPStatus

from src.serving import docs, models, openapi, predict, routes
from src.serving.endpoint import Endpoint, RequestBody, answering
from src.serving.page import live, page
from src.serving.problems import Form
from src.serving.protocols import mlflow, open_inference

_BODY_PROBLEMS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

# In other protocols a row that does not match the schema is a bad request, too.
_SCORING_PROBLEMS = tuple(
    status for status in _BODY_PROBLEMS if status is not HTTPStatus.UNPROCESSABLE_ENTITY
)
_V2 = Form(open_inference.InferError, "application/json", open_inference.error_response)
_MLFLOW = Form(mlflow.InvocationError, "application/json", mlflow.error_response)
_EXPLAIN = {predict.EXPLAIN: "Answer with `explanation`: how much each column adds to the probabilities."}
_V2_TAG, _MLFLOW_TAG = "Open Inference Protocol", "MLflow scoring"
_MODEL = "/v2/models/{name}"
_VERSION = f"{_MODEL}/versions/{{version}}"
_NO_MODEL = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)


def _open_inference() -> Iterator[Endpoint]:
    """Give the endpoints of the Open Inference Protocol; those of a model with a version and without."""
    yield Endpoint(
        path="/v2",
        name="server_metadata",
        handler=answering(open_inference.server),
        summary="Server metadata of the Open Inference Protocol.",
        answer=open_inference.ServerMetadata,
        tag=_V2_TAG,
    )
    yield Endpoint(
        path="/v2/health/live",
        name="server_live",
        handler=answering(open_inference.live),
        summary="Liveness, as the Open Inference Protocol has it.",
        answer=open_inference.ServerLive,
        tag=_V2_TAG,
    )
    yield Endpoint(
        path="/v2/health/ready",
        name="server_ready",
        handler=answering(open_inference.ready),
        summary="Readiness, as the Open Inference Protocol has it.",
        answer=open_inference.ServerReady,
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
        form=_V2,
        tag=_V2_TAG,
    )
    for base, suffix in ((_MODEL, ""), (_VERSION, "_version")):
        yield Endpoint(
            path=base,
            name=f"model{suffix}_metadata",
            handler=answering(open_inference.model),
            summary="Inputs and outputs of the model, as tensors.",
            key=True,
            limit="rate_limit_model_info",
            answer=open_inference.ModelMetadata,
            problems=_NO_MODEL,
            form=_V2,
            tag=_V2_TAG,
        )
        yield Endpoint(
            path=f"{base}/ready",
            name=f"model{suffix}_ready",
            handler=answering(open_inference.model_ready),
            summary="Readiness of the model.",
            answer=open_inference.ModelReady,
            problems=_NO_MODEL,
            form=_V2,
            tag=_V2_TAG,
        )
        yield Endpoint(
            path=f"{base}/infer",
            method="POST",
            name=f"model{suffix}_infer",
            handler=open_inference.infer,
            summary="Predict rows given as tensors.",
            description="One tensor a column, or one matrix of all; in JSON, or in binary.",
            key=True,
            limit="rate_limit_predict_batch",
            body=lambda loaded: RequestBody(open_inference.InferRequest),
            answer=open_inference.InferResponse,
            problems=(HTTPStatus.NOT_FOUND, *_SCORING_PROBLEMS),
            form=_V2,
            tag=_V2_TAG,
        )


def _mlflow() -> Iterator[Endpoint]:
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
            problems=(*missing, *_SCORING_PROBLEMS),
            form=_MLFLOW,
            tag=_MLFLOW_TAG,
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
            problems=_NO_MODEL,
            form=_MLFLOW,
            tag=_MLFLOW_TAG,
        )
    yield Endpoint(
        path="/ping",
        name="ping",
        handler=answering(mlflow.ping),
        summary="Health check of MLflow's clients.",
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
        form=_MLFLOW,
        tag=_MLFLOW_TAG,
    )
    yield Endpoint(
        path="/version",
        name="version",
        handler=answering(mlflow.version),
        summary="Version of the software.",
        tag=_MLFLOW_TAG,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        path="/",
        name="home",
        handler=answering(page.front),
        summary="Service information.",
        answer=models.Home,
    ),
    Endpoint(
        path="/health",
        name="health",
        handler=answering(routes.health),
        summary="Health check.",
        description="503 without a model.",
        limit="rate_limit_health",
        answer=models.Health,
        other_answers={HTTPStatus.SERVICE_UNAVAILABLE: "No model is loaded"},
    ),
    Endpoint(
        path="/livez",
        name="alive",
        handler=answering(routes.alive),
        summary="Liveness probe.",
        answer=models.Probe,
        internal=True,
    ),
    Endpoint(
        path="/readyz",
        name="ready",
        handler=answering(routes.ready),
        summary="Readiness probe.",
        description="503 without a model, and during graceful shutdown.",
        answer=models.Probe,
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
        internal=True,
    ),
    Endpoint(
        path="/metrics",
        name="prometheus",
        handler=answering(routes.prometheus),
        summary="Prometheus metrics.",
        internal=True,
    ),
    Endpoint(
        path="/model/info",
        name="model_info",
        tag="Model",
        handler=answering(routes.model_info),
        summary="Metadata of the model in service.",
        description="Its origin and its metrics on held-out rows; 404 without a model.",
        key=True,
        limit="rate_limit_model_info",
        of_task=lambda answers: {"answer": answers.ModelInfo},
        problems=(HTTPStatus.NOT_FOUND,),
    ),
    Endpoint(
        path="/model/reload",
        method="POST",
        name="reload_model",
        tag="Model",
        handler=answering(routes.reload),
        summary="Ask the model source for a new champion now, instead of at the next poll.",
        description="503 when the source fails or its bundle is refused; the model in service stays.",
        key=True,
        limit="rate_limit_model_info",
        answer=models.Reloaded,
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
        internal=True,
    ),
    Endpoint(
        path="/predict",
        method="POST",
        name="predict",
        tag="Predictions",
        handler=predict.Predict,
        description="Malformed JSON is answered with 400, a row that does not match the schema with 422.",
        key=True,
        limit="rate_limit_predict",
        body=predict.row_body,
        query=_EXPLAIN,
        of_task=lambda answers: {"summary": answers.ROW_SUMMARY, "answer": answers.Prediction},
        problems=(*_BODY_PROBLEMS, HTTPStatus.CONFLICT),
    ),
    Endpoint(
        path="/predict/batch",
        method="POST",
        name="predict_batch",
        tag="Predictions",
        handler=predict.PredictBatch,
        description="One invalid row rejects the whole batch; `errors` says which, and why.",
        key=True,
        limit="rate_limit_predict_batch",
        body=predict.batch_body,
        query=_EXPLAIN,
        of_task=lambda answers: {"summary": answers.BATCH_SUMMARY, "answer": answers.BatchPrediction},
        problems=(*_BODY_PROBLEMS, HTTPStatus.CONFLICT),
    ),
    *_open_inference(),
    *_mlflow(),
    Endpoint(
        path="/model/card",
        name="model_card",
        handler=answering(page.card),
        summary="The model card, as HTML.",
        description="What the model is, its data, its quality and its limits; 404 without one.",
        key=True,
        limit="rate_limit_model_info",
        problems=(HTTPStatus.NOT_FOUND,),
        tag="Model",
        media_type="text/html",
    ),
    Endpoint(
        path="/page/model", name="page_model", handler=answering(page.fragment), key=True, documented=False
    ),
    Endpoint(path="/page/live", name="page_live", handler=answering(live.live), key=True, documented=False),
    *(
        Endpoint(path=f"/page/{file}", name=file, handler=answering(page.asset), documented=False)
        for file in page.FILES
    ),
    Endpoint(path=docs.OPENAPI, name="openapi", handler=answering(openapi.respond), documented=False),
    Endpoint(path="/docs", name="swagger", handler=answering(docs.swagger), documented=False),
    Endpoint(path="/redoc", name="redoc", handler=answering(docs.redoc), documented=False),
    *(
        Endpoint(path=f"{docs.ASSETS}/{file}", name=file, handler=answering(docs.asset), documented=False)
        for file in docs.FILES
    ),
)
