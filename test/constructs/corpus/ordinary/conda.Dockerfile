FROM continuumio/miniconda3:24.9.2-0
COPY environment.yml .
RUN conda env create -f environment.yml && conda clean -afy
SHELL ["conda", "run", "-n", "app", "/bin/bash", "-c"]
RUN python -c "import numpy"
COPY . /app
WORKDIR /app
ENTRYPOINT ["conda", "run", "--no-capture-output", "-n", "app", "python", "run.py"]
# expect: snapshotUnsafeBase line 1
