ARG TAG=22
FROM \
  --platform=linux/arm64 \
  node:$TAG
RUN true
# expect: snapshotUnsafeBase line 2
