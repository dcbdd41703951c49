# The gateway. The same image brings the schema up to date: flask --app gateway db upgrade
FROM python:3.11-slim AS packages
COPY requirements.txt .
# The first paragraph is what the gateway runs on.
RUN sed '/^$/q' requirements.txt > gateway.txt \
    && python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install \
        --no-cache-dir --disable-pip-version-check --requirement gateway.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /podium
COPY --from=packages /venv /venv
COPY sql sql
COPY gateway gateway
# Nobody in particular, who owns nothing and may write nothing.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# One process with many threads, as `make up` has it: submissions that arrive together share one call.
CMD ["granian", "--interface", "wsgi", "--factory", "gateway.worker:create_app", \
    "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", \
    "--workers", "1", "--blocking-threads", "456", "--backlog", "1024", "--backpressure", "8192", \
    "--http1-header-read-timeout", "30000", \
    "--workers-kill-timeout", "10"]
