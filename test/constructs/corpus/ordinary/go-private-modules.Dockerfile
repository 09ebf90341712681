# syntax=docker/dockerfile:1
FROM golang:1.23-alpine AS build
RUN apk add --no-cache git openssh-client
RUN mkdir -p -m 0700 ~/.ssh && ssh-keyscan github.com >> ~/.ssh/known_hosts
ENV GOPRIVATE=github.com/example/*
RUN git config --global url."ssh://git@github.com/".insteadOf "https://github.com/"
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=ssh go mod download
COPY . .
RUN go build -o /app ./cmd/app

FROM alpine:3.21
RUN apk add --no-cache ca-certificates tzdata && adduser -D -u 10001 app
COPY --from=build /app /usr/local/bin/app
USER app
ENTRYPOINT ["app"]
# expect: snapshotUnsafeBase line 13
