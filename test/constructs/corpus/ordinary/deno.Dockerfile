FROM denoland/deno:2.1.4
EXPOSE 1993
WORKDIR /app
USER deno
COPY deps.ts .
RUN deno install --entrypoint deps.ts
ADD . .
RUN deno cache main.ts
CMD ["run", "--allow-net", "main.ts"]
# expect: snapshotUnsafeBase line 1
