"""Every endpoint of the API; routes, limits, labels of metrics, documents and ingress follow from here."""

from http import HTTPStatus

from src.serving import docs, models, openapi, predict, routes
from src.serving.endpoint import BODY_PROBLEMS, Endpoint, answering
from src.serving.page import live, page
from src.serving.protocols import mlflow_endpoints, open_inference_endpoints

_EXPLAIN = {predict.EXPLAIN: "Answer with `explanation`: how much each column adds to the probabilities."}

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
        problems=(*BODY_PROBLEMS, HTTPStatus.CONFLICT),
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
        problems=(*BODY_PROBLEMS, HTTPStatus.CONFLICT),
    ),
    *open_inference_endpoints.ENDPOINTS,
    *mlflow_endpoints.ENDPOINTS,
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
