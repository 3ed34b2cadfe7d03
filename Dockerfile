# The same sources on the same base give the same content, whatever the day: everything is locked by its hash, and
# bytecode goes by the hash of its source. To make the layers the same, too, let the builder set the files' times:
# `buildah bud --timestamp=0`, or docker buildx with SOURCE_DATE_EPOCH=0 and `--output type=image,rewrite-timestamp=true`.
ARG BASE=python:3.11-slim-bookworm

# The packages: installed anew only when their lock changes, and by a pip that stays behind.
FROM ${BASE} AS packages
# Debian's own Python comes without venv, python:3.11-slim with it.
RUN python3 -c 'import ensurepip' || (apt-get update && apt-get install --yes --no-install-recommends python3-venv)
COPY requirements.lock /build/
RUN python3 -m venv /build/venv \
    && /build/venv/bin/pip install --target /opt/detour/packages --no-deps --require-hashes --only-binary :all: \
        --no-compile --no-cache-dir --disable-pip-version-check --requirement /build/requirements.lock
# Of the Kubernetes client Detour uses raw requests and one of 67 generated interfaces, which few commands come to.
RUN cd /opt/detour/packages \
    && rm -r bin kubernetes/aio \
    && find kubernetes/client/api -name '*_api.py' ! -name core_v1_api.py -delete \
    && find . -type d -name tests -prune -exec rm -r {} + \
    && python3 -m compileall -q --invalidation-mode unchecked-hash -x 'kubernetes/client/(api|models)/' .

FROM ${BASE} AS sources
COPY . /opt/detour/sources/
RUN cd /opt/detour \
    && rm sources/requirements.lock \
    && chmod -R u=rwX,go=rX sources \
    && python3 -m compileall -q --invalidation-mode unchecked-hash sources \
    && mkdir bin \
    && printf '#!/usr/bin/env python3\nfrom detour.cli import main\n\nmain()\n' > bin/detour \
    && chmod 755 bin/detour

FROM ${BASE} AS detour
# Nothing in it can install anything: the base's own pip goes, too. And nobody can write bytecode later, of which
# python:3.11-slim has none for the standard library; where there is some it stays.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/* \
    && python3 -m compileall -q --invalidation-mode unchecked-hash -x '/(test|tests|idlelib|lib2to3|.*-packages)/' \
        "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=packages /opt/detour /opt/detour
COPY --from=sources /opt/detour /opt/detour
ENV PATH=/opt/detour/bin:$PATH \
    PYTHONPATH=/opt/detour/sources:/opt/detour/packages \
    PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["detour"]
ARG VERSION=dev
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="detour" \
    org.opencontainers.image.description="Every Deployment update takes a detour through a canary" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}"

# Apart from what follows, so that a change of the sources does not install them anew. What the packages bring goes to /new,
# with a record of each for whoever lists the packages of the image.
FROM ${BASE} AS programs
RUN dpkg-query --show --showformat '${Package}\n' | sort > /before \
    && apt-get update && apt-get install --yes --no-install-recommends bats curl hey jq wrk \
    && mkdir -p /new/var/lib/dpkg/status.d \
    && dpkg-query --show --showformat '${Package}\n' | sort | comm -13 /before - | while read -r package; do \
        dpkg-query --status "$package" > "/new/var/lib/dpkg/status.d/$package" \
        && dpkg-query --listfiles "$package" | while read -r file; do \
            if [ -f "$file" ]; then \
                folder=$(realpath "$(dirname "$file")") && mkdir -p "/new$folder" && cp -a "$file" "/new$folder/" || exit 1; \
            fi; \
        done || exit 1; \
    done \
    && rm -rf /new/usr/share/doc /new/usr/share/man /new/usr/share/locale

# `--target loadtester`: with the programs that `detour loadtester` starts, which have no place in production.
FROM detour AS loadtester
COPY --from=programs /new /
LABEL org.opencontainers.image.title="detour-loadtester"

# The last stage is what is built unless another is named.
FROM detour
