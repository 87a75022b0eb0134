"""(a) The least FastAPI can do: the same request and response models, and nothing between them."""

from fastapi import FastAPI

from bench.apps.models import Flower, Prediction

app = FastAPI()

ANSWER = Prediction(
    prediction="setosa",
    confidence=1.0,
    probabilities={"setosa": 1.0, "versicolor": 0.0, "virginica": 0.0},
    model_version="1",
)


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/predict")
async def predict(flower: Flower) -> Prediction:
    return ANSWER
