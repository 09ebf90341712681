FROM public.ecr.aws/lambda/microvms:al2023-minimal AS app
COPY app /app
# Built in CI with --target=e2e on another machine, and never by the service.
FROM --platform=linux/amd64 mcr.microsoft.com/playwright:v1.49.0-jammy AS e2e
ADD https://example.com/fixtures.tar.gz /fixtures/
COPY e2e /e2e
FROM app
CMD ["/app/run"]
