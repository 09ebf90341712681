FROM public.ecr.aws/lambda/microvms@sha256:4f2a7c1d9e8b3a6f5c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b
COPY agent /usr/local/bin/agent
CMD ["/usr/local/bin/agent"]
