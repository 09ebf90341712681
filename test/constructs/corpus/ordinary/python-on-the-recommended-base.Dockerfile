FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN dnf install -y python3.12 python3.12-pip \
    && dnf clean all \
    && rm -rf /var/cache/dnf
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /srv
COPY requirements.txt .
RUN python3.12 -m pip install -r requirements.txt
COPY . .
EXPOSE 8000
ENTRYPOINT ["python3.12", "-m", "uvicorn"]
CMD ["app:app", "--host", "0.0.0.0", "--port", "8000"]
