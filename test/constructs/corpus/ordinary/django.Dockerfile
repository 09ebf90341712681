FROM python:3.12-slim-bookworm AS builder
ENV PYTHONUNBUFFERED 1
WORKDIR /code
RUN apt-get update && apt-get install -y --no-install-recommends build-essential libpq-dev && rm -rf /var/lib/apt/lists/*
COPY requirements/ requirements/
RUN pip wheel --wheel-dir /wheels -r requirements/production.txt

FROM python:3.12-slim-bookworm
ENV DJANGO_SETTINGS_MODULE=config.settings.production
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /wheels /wheels
RUN pip install --no-index --find-links=/wheels /wheels/* && rm -rf /wheels
WORKDIR /code
COPY . .
RUN DJANGO_SECRET_KEY=collectstatic DATABASE_URL=sqlite:///:memory: python manage.py collectstatic --noinput
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", ":8000"]
# expect: snapshotUnsafeBase line 8
