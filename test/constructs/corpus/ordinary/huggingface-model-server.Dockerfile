FROM pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime
ENV HF_HOME=/models TRANSFORMERS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1
RUN pip install --no-cache-dir transformers==4.47.0 accelerate
RUN --mount=type=secret,id=hf,env=HF_TOKEN python -c "from huggingface_hub import snapshot_download; snapshot_download('org/model')"
COPY serve.py /
EXPOSE 8000
CMD ["python", "/serve.py"]
# expect: snapshotUnsafeBase line 1
