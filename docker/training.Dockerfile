# syntax=docker/dockerfile:1
# Training and export: torch (PyPI's build, with CUDA) and onnxruntime on the CPU, against which an export is compared.
# Nothing listens here and nothing runs on, so it has no health check: docker run --gpus all -v ... personne-training
# train faces --data /data --resolution 128 --out /runs/mine

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv && /opt/venv/bin/python -m pip install 'torch==2.13.0' '.[training,export,worker]'

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home personne && install --directory --owner personne /store /runs
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    PERSONNE_STORE=/store
USER 10001
VOLUME ["/store", "/runs"]
WORKDIR /runs
HEALTHCHECK NONE
ENTRYPOINT ["personne"]
CMD ["train", "--help"]
