# Two images from one lock file: `serve` (the default), the API, and `pipeline`, training and the MLflow server.
# Where the public registries are not reached: --build-arg PYTHON_IMAGE=…, --secret id=pip.conf,src=…
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

# What builds stays behind. Bytecode goes to a tree of its own, the standard library's too: the public image
# comes without, and a container that cannot write would compile it again at every start.
FROM ${PYTHON_IMAGE} AS builder
WORKDIR /app
ENV COMPILE="python -m compileall -q -j 0 --invalidation-mode unchecked-hash" \
    PIP_CONFIG_FILE=/run/secrets/pip.conf \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ONLY_BINARY=:all: \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONHASHSEED=0 \
    PYTHONPYCACHEPREFIX=/bytecode
RUN python -m venv --without-pip .venv && rm .venv/bin/[Aa]ctivate*
COPY scripts/requirements.py poetry.lock ./

# The packages of the API, without the parts it never imports.
FROM builder AS serve-packages
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    python requirements.py serving > requirements.txt \
 && pip --python .venv/bin/python install --no-compile --no-deps --require-hashes -r requirements.txt
RUN find .venv/bin -type f -delete \
 && cd .venv/lib/python3*/site-packages \
 && rm -r onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
 && find . -name '*.pyi' -delete \
 && find . -name tests -type d -prune -exec rm -r {} + \
 && $COMPILE /app/.venv /usr/local/lib/python3* -x '/(ensurepip|idlelib|lib2to3|pydoc_data|tests?|tkinter|usr/local/.*/site-packages)/' \
 && find /app/.venv /bytecode -exec touch -h -d @0 {} +

# The packages of training and of the MLflow server, whole. One of them is published as source alone.
FROM builder AS pipeline-packages
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    python requirements.py serving pipeline > requirements.txt \
 && pip --python .venv/bin/python install --no-compile --no-deps --require-hashes -r requirements.txt \
    --no-binary antlr4-python3-runtime
RUN $COMPILE /app/.venv /usr/local/lib/python3* -x '/(ensurepip|idlelib|lib2to3|pydoc_data|tests?|tkinter|usr/local/.*/site-packages)/' \
 && find /app/.venv /bytecode -exec touch -h -d @0 {} +

# Our code without the time of its checkout, so that a commit always gives the same layer.
FROM builder AS pipeline-code
COPY params.yaml ./
COPY data data
COPY src src
RUN $COMPILE /app/src \
 && mkdir -p build data/processed data/raw mlruns \
 && chown 10001:10001 build data/processed data/raw mlruns \
 && find /app/build /app/data /app/mlruns /app/params.yaml /app/src /bytecode -exec touch -h -d @0 {} +

FROM builder AS serve-code
COPY scripts/closure.py ./
COPY src /checkout/src
RUN cd /checkout && python /app/closure.py src.serving /app \
 && $COMPILE /app/src \
 && find /app/src /bytecode -exec touch -h -d @0 {} +

# What runs: the base without its installers, and a user without a name, a home or a write permission.
FROM ${PYTHON_IMAGE} AS runtime
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/*
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONPYCACHEPREFIX=/app/.bytecode \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.source=https://github.com/mlarnes/mlops-core
USER 10001:10001

FROM runtime AS pipeline
COPY --from=pipeline-packages /app/.venv .venv
COPY --from=pipeline-packages /bytecode .bytecode
COPY --from=pipeline-code /bytecode .bytecode
COPY --from=pipeline-code /app/params.yaml ./
COPY --from=pipeline-code /app/data data
COPY --from=pipeline-code /app/src src
ENV HOME=/tmp
CMD ["python", "-m", "src.training.train"]
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="mlops-core pipeline" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION

FROM runtime AS serve
COPY --from=serve-packages /app/.venv .venv
COPY --from=serve-packages /bytecode .bytecode
COPY --from=serve-code /bytecode .bytecode
COPY --from=serve-code /app/src src
ENV HOST=0.0.0.0 \
    PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD python -m src.serving.healthcheck "$PORT"
CMD ["python", "-m", "src.serving"]
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="mlops-core API" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION
