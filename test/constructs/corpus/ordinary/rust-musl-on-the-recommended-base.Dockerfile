FROM rust:1.84-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release && rm -r src
COPY src ./src
RUN touch src/main.rs && cargo build --release

FROM public.ecr.aws/lambda/microvms:al2023-minimal
COPY --from=build --chmod=0755 /src/target/release/sandbox /usr/local/bin/sandbox
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/sandbox"]
