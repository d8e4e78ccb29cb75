# Unitscope in one image. It needs no network when it runs:
#   docker build -t unitscope .
#   docker run --rm -p 127.0.0.1:8501:8501 -v unitscope-studies:/studies unitscope
#
# PyTorch's CPU wheels are the default. For an NVIDIA GPU (its driver must know CUDA 13; NVIDIA's Container Toolkit):
#   docker build --build-arg TORCH_INDEX= -t unitscope .
#   docker run --gpus all ...
# An empty TORCH_INDEX takes PyPI's wheels, which on Linux are built for CUDA. For an older driver name the index of
# another CUDA, such as https://download.pytorch.org/whl/cu126, which must have the versions of constraints.txt.

FROM python:3.11-slim AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# pyfim compiles from source; the compiler stays in this stage.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt requirements-optional.txt constraints.txt /src/
# Only these two come from PyTorch's index; what they need comes with the rest, in the versions that were tested.
RUN pip install --no-deps ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -c /src/constraints.txt torch torchvision
RUN pip install -c /src/constraints.txt -r /src/requirements.txt -r /src/requirements-optional.txt
COPY . /src
RUN pip install --no-deps /src

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 unitscope && mkdir /studies && chown unitscope:unitscope /studies
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    UNITSCOPE_STUDIES=/studies \
    UNITSCOPE_CACHE=/home/unitscope/.cache/unitscope \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_HEADLESS=true \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER unitscope
WORKDIR /home/unitscope
# Weights are in the image (the demo's and EfficientNet-Lite0's, both from packages); this fails the build if not.
RUN python -c "import interpret as i; [i.load(i.ModelConfig(model=name)) for name in ('demo', 'efficientnet_lite0')]"
VOLUME /studies
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=40s \
    CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4).read()"
CMD ["unitscope", "serve", "--port", "8501"]
