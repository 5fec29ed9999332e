# syntax=docker/dockerfile:1
# The web: the floors `app`, `jobs` and the light half of `models`. No onnxruntime, no torch.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv && /opt/venv/bin/python -m pip install '.[app]'

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home personne && install --directory --owner personne /store
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PERSONNE_HOST=0.0.0.0 \
    PERSONNE_STORE=/store
USER 10001
VOLUME /store
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=20s CMD ["personne", "health"]
ENTRYPOINT ["personne"]
CMD ["web"]
