# One container: an ordinary user, a read-only root, one volume for everything that is kept.

# The Python that the requirements were pinned with and the tests run on.
FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/sarafan
COPY requirements.txt ./
RUN /opt/sarafan/bin/pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY integrations integrations
COPY storage storage
COPY worker worker
RUN /opt/sarafan/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN groupadd --system --gid 10001 sarafan \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /data sarafan \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/sarafan /opt/sarafan
ENV PATH=/opt/sarafan/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SARAFAN_CONFIG=/etc/sarafan/config.toml \
    SARAFAN_HTTP__LISTEN=0.0.0.0:8080
# Relative paths start here: the default storage, sqlite:///data/sarafan.db, is in the volume.
WORKDIR /
VOLUME /data
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
# The form with brackets: Python is process 1 and hears SIGTERM itself.
CMD ["sarafan", "run"]
