ARG REGISTRY=public.ecr.aws/lambda
ARG BASE=${REGISTRY}/microvms
ARG TAG
FROM ${BASE}:${TAG:-al2023-minimal}
ARG PORT=8080
ENV APP_PORT=${PORT}
EXPOSE ${APP_PORT} 9000
COPY . /app
CMD /app/start.sh
