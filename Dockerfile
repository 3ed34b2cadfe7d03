ARG BASE=python:3.11-slim-bookworm
FROM ${BASE} AS detour

# What changes seldom and takes long comes first: the dependencies are installed anew only when their lock changes.
COPY requirements.lock /opt/detour/
RUN python3 -m venv /opt/detour \
    && /opt/detour/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /opt/detour/requirements.lock

COPY . /opt/detour/source/
ENV PATH=/opt/detour/bin:$PATH PYTHONPATH=/opt/detour/source PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python3", "-m", "detour"]

# Apart from what follows, so that a change of the sources does not install it anew.
FROM ${BASE} AS hey
RUN apt-get update && apt-get install --yes --no-install-recommends hey

# `--target loadtester`: with the load generator that `detour loadtester` starts, which has no place in production.
FROM detour AS loadtester
COPY --from=hey /usr/bin/hey /usr/bin/hey

# The last stage is what is built unless another is named.
FROM detour
