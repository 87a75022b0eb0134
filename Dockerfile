# Two images from one lock file: `serve` (the default), the API, and `pipeline`, training and the MLflow server.
# Where PyPI is not reached: --secret id=pip.conf,src=…
FROM python:3.11.15-slim-bookworm AS base

# What builds stays behind. Bytecode goes to a tree of its own, the standard library's too: the public image
# comes without, and a container that cannot write would compile it again at every start.
FROM base AS builder
ENV COMPILE="python -m compileall -q -j 0 --invalidation-mode unchecked-hash" \
    NOT_COMPILED="/(ensurepip|idlelib|lib2to3|pydoc_data|tests?|tkinter|usr/local/.*/site-packages)/" \
    PIP_CONFIG_FILE=/run/secrets/pip.conf \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ONLY_BINARY=:all: \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONHASHSEED=0 \
    PYTHONPYCACHEPREFIX=/app/.bytecode
WORKDIR /build

# The packages of the API, without the parts it never imports.
FROM builder AS serve-packages
COPY scripts/requirements.py poetry.lock ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    python requirements.py serving > requirements.txt \
 && python -m venv --without-pip /app/.venv \
 && pip --python /app/.venv/bin/python install --no-compile --no-deps --require-hashes -r requirements.txt
RUN for unused in quantization tools transformers; do rm -r /app/.venv/lib/python3*/site-packages/onnxruntime/$unused || exit; done \
 && find /app/.venv -name tests -type d -prune -exec rm -r {} + \
 && find /app/.venv -name '*.pyi' -delete \
 && find /app/.venv/bin -type f -delete \
 && $COMPILE -x "$NOT_COMPILED" /app/.venv /usr/local/lib/python3* \
 && mkdir /out && mv /app /out/ && find /out -exec touch -h -d @0 {} +

# The packages of training and of the MLflow server. One of them is published as source alone.
FROM builder AS pipeline-packages
COPY scripts/requirements.py poetry.lock ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    python requirements.py serving pipeline > requirements.txt \
 && python -m venv --without-pip /app/.venv \
 && pip --python /app/.venv/bin/python install --no-compile --no-deps --require-hashes -r requirements.txt \
    --no-binary antlr4-python3-runtime
RUN $COMPILE -x "$NOT_COMPILED" /app/.venv /usr/local/lib/python3* \
 && mkdir /out && mv /app /out/ && find /out -exec touch -h -d @0 {} +

# Our code. No time of a checkout or a build is kept here or above, so a commit always gives the same layers.
FROM builder AS serve-code
COPY src/*.py /app/src/
COPY src/bundle /app/src/bundle
COPY src/disk /app/src/disk
COPY src/monitoring /app/src/monitoring
COPY src/runtime /app/src/runtime
COPY src/schema /app/src/schema
COPY src/serving /app/src/serving
COPY src/store /app/src/store
RUN mkdir -p /app/mlruns /app/models \
 && $COMPILE /app/src \
 && mkdir /out && mv /app /out/ && find /out -exec touch -h -d @0 {} +

FROM builder AS pipeline-code
COPY src /app/src
COPY data /app/data
COPY params.yaml /app/
RUN $COMPILE /app/src \
 && mkdir /out && mv /app /out/ \
 && for folder in artifacts build data/processed data/raw mlruns secrets; do mkdir -p /writable/app/$folder || exit; done \
 && find /out /writable -exec touch -h -d @0 {} +

# What runs: the base without its installers, and a user without a name, a home or a right to write.
FROM base AS runtime
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/*
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONPYCACHEPREFIX=/app/.bytecode \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.source=https://github.com/mlarnes/mlops-core
USER 10001:10001

FROM runtime AS pipeline
COPY --from=pipeline-packages /out /
COPY --from=pipeline-code /out /
# Volumes take the owner of the folder they are mounted on. models/ is replaced by a rename, which no mount allows.
COPY --from=pipeline-code --chown=10001:10001 /writable /
ENV HOME=/tmp \
    LOGNAME=mlops \
    MODEL_DIR=build/models
WORKDIR /app
CMD ["python", "-m", "src.training.train"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mlops-core pipeline" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION

FROM runtime AS serve
COPY --from=serve-packages /out /
COPY --from=serve-code /out /
ENV HOST=0.0.0.0 \
    PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["sh", "-c", "exec python -m src.serving.healthcheck $PORT"]
WORKDIR /app
CMD ["python", "-m", "src.serving"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mlops-core API" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION
