FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN dnf install -y python3.12 python3.12-pip shadow-utils util-linux && dnf clean all \
    && useradd --create-home --shell /sbin/nologin --uid 65534 --non-unique sandbox
RUN python3.12 -m pip install --no-cache-dir numpy pandas matplotlib ipykernel
WORKDIR /home/sandbox
COPY --chown=sandbox server.py hooks.py ./
ENV MPLCONFIGDIR=/tmp/mpl MAX_TOKENS=4096 TOKENIZERS_PARALLELISM=false
EXPOSE 8080 9000
CMD ["python3.12", "server.py"]
