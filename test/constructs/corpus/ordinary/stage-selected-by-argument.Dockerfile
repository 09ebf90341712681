ARG MODE=release
FROM public.ecr.aws/lambda/microvms:al2023-minimal AS common
RUN dnf install -y nodejs22
FROM common AS debug
ENV NODE_OPTIONS=--inspect
FROM common AS release
ENV NODE_OPTIONS=--enable-source-maps
FROM ${MODE}
COPY . /app
CMD ["node", "/app"]
