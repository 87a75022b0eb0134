"""Every endpoint of the API; routes, limits, labels of metrics, documents and ingress follow from here."""

from http import HTTPStatus

from src.serving import docs, models, openapi, predict, routes
from src.serving.endpoint import Endpoint, answering

_BODY_PROBLEMS = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        path="/",
        name="home",
        handler=answering(routes.home),
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
        handler=answering(routes.model_info),
        summary="Metadata of the model in service.",
        description="Its origin and its metrics on held-out rows; 404 without a model.",
        key=True,
        limit="rate_limit_model_info",
        of_task=lambda answers: {"answer": answers.ModelInfo},
        problems=(HTTPStatus.NOT_FOUND,),
    ),
    Endpoint(
        path="/predict",
        method="POST",
        name="predict",
        handler=predict.Predict,
        description="Invalid JSON, or a row that does not match the schema, is answered with 422.",
        key=True,
        limit="rate_limit_predict",
        body=predict.row_body,
        of_task=lambda answers: {"summary": answers.ROW_SUMMARY, "answer": answers.Prediction},
        problems=_BODY_PROBLEMS,
    ),
    Endpoint(
        path="/predict/batch",
        method="POST",
        name="predict_batch",
        handler=predict.PredictBatch,
        description="One invalid row rejects the whole batch; `errors` says which, and why.",
        key=True,
        limit="rate_limit_predict_batch",
        body=predict.batch_body,
        of_task=lambda answers: {"summary": answers.BATCH_SUMMARY, "answer": answers.BatchPrediction},
        problems=_BODY_PROBLEMS,
    ),
    Endpoint(path=docs.OPENAPI, name="openapi", handler=answering(openapi.respond), documented=False),
    Endpoint(path="/docs", name="swagger", handler=answering(docs.swagger), documented=False),
    Endpoint(path="/redoc", name="redoc", handler=answering(docs.redoc), documented=False),
    *(
        Endpoint(path=f"{docs.ASSETS}/{file}", name=file, handler=answering(docs.asset), documented=False)
        for file in docs.FILES
    ),
)
