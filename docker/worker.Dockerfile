# syntax=docker/dockerfile:1
# A worker on the CPU: the floors `worker`, `jobs` and the light half of `models`, with onnxruntime. No web, no torch.
# `video`, which writes morphs as MP4, brings FFmpeg with x264: who passes this image on passes on what is under the GPL.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv && /opt/venv/bin/python -m pip install '.[worker,video]'

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home personne && install --directory --owner personne /store
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PERSONNE_STORE=/store
USER 10001
VOLUME /store
HEALTHCHECK --interval=30s --timeout=9s --start-period=60s CMD ["personne", "health", "--worker"]
ENTRYPOINT ["personne"]
CMD ["worker"]
