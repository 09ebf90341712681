ARG ARCH=amd64
ARG BASE=$ARCH/debian
FROM ${BASE}:12
# expect: error: x86 only: 'amd64/debian:12' in line 3
