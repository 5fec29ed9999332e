# syntax=docker/dockerfile:1
# A worker on NVIDIA GPUs: onnxruntime-gpu instead of onnxruntime, with CUDA, cuDNN and TensorRT from the wheels that
# pyproject.toml pins. NVIDIA's CUDA images are no base for it: they would bring all of that a second time, in versions
# that this file would have to keep equal to the pins. libcuda.so comes from the host, by the NVIDIA container toolkit.
# `video`, which writes morphs as MP4, brings FFmpeg with x264: who passes this image on passes on what is under the GPL.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv && /opt/venv/bin/python -m pip install '.[gpu,video]'

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home personne && install --directory --owner personne /store
COPY --from=build /opt/venv /opt/venv
# The wheels' libraries lie where the dynamic linker does not look.
# TensorRT rounds to TF32 unless told not to here; a seed would differ from the CPU's picture by more than one level.
ENV PATH=/opt/venv/bin:$PATH \
    NVIDIA_TF32_OVERRIDE=0 \
    LD_LIBRARY_PATH=/opt/venv/lib/python3.11/site-packages/tensorrt_libs:/opt/venv/lib/python3.11/site-packages/nvidia/cu13/lib:/opt/venv/lib/python3.11/site-packages/nvidia/cudnn/lib \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    PERSONNE_STORE=/store
USER 10001
VOLUME /store
# TensorRT builds its engines at the first start: minutes, not seconds.
HEALTHCHECK --interval=30s --timeout=9s --start-period=900s CMD ["personne", "health", "--worker"]
ENTRYPOINT ["personne"]
CMD ["worker"]
