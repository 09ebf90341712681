FROM public.ecr.aws/lambda/microvms:al2023-minimal
ARG NPM_TOKEN
ARG DB_PASSWORD=""
ENV DB_PASSWORD_FILE=/run/secrets/db \
    API_KEY_SECRET_ARN=arn:aws:secretsmanager:us-east-1:123456789012:secret:api-Ab12Cd \
    TOKEN_TTL=3600 \
    SESSION_SECRET=${SESSION_SECRET} \
    ACCESS_TOKEN=/run/token \
    ALLOW_EMPTY_PASSWORD=yes \
    REDIS_PASSWORD=changeme
LABEL token="none"
RUN mysqladmin --password="$DB_PASSWORD" status || true
CMD ["/app"]
