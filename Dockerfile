ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

# What changes seldom and takes long comes first: the dependencies are installed anew only when their lock changes.
COPY requirements.lock /opt/detour/
RUN python3 -m venv /opt/detour \
    && /opt/detour/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /opt/detour/requirements.lock

COPY . /opt/detour/source/
ENV PATH=/opt/detour/bin:$PATH PYTHONPATH=/opt/detour/source PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python3", "-m", "detour"]
