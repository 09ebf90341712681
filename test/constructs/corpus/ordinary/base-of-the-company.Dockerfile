FROM 123456789012.dkr.ecr.eu-west-1.amazonaws.com/platform/microvm-node:22
COPY --chown=app:app . /app
CMD ["/app/run"]
