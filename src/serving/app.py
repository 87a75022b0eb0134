"""`src.serving.app:app`, what Uvicorn imports; the environment says how it serves."""

from src.serving.factory import create_app

app = create_app()
