"""(b) The usual server: the same forest through scikit-learn, in a plain FastAPI app."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import joblib
import pandas as pd
from fastapi import FastAPI, Request

from bench.apps.models import Flower, Prediction


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.model = joblib.load(os.environ["BENCH_MODEL"])
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/readyz")
def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/predict")
def predict(flower: Flower, request: Request) -> Prediction:
    model = request.app.state.model
    [scores] = model.predict_proba(pd.DataFrame([flower.model_dump()]))
    probabilities = dict(zip(model.classes_.tolist(), scores.tolist(), strict=True))
    prediction = max(probabilities, key=probabilities.__getitem__)
    return Prediction(
        prediction=prediction,
        confidence=probabilities[prediction],
        probabilities=probabilities,
        model_version="1",
    )
