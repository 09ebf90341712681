FROM public.ecr.aws/lambda/microvms:al2023-minimal
ARG TARGETARCH
ARG KUBECTL_VERSION=v1.32.0
RUN dnf install -y tar gzip && \
    curl -fsSLo /usr/local/bin/kubectl "https://dl.k8s.io/release/${KUBECTL_VERSION}/bin/linux/${TARGETARCH}/kubectl" && \
    curl -fsSL -H "Accept: application/octet-stream" https://example.com/tool-aarch64.tgz | tar xz -C /usr/local/bin && \
    chmod +x /usr/local/bin/kubectl
ENTRYPOINT ["kubectl"]
