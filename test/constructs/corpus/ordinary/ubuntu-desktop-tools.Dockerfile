FROM ubuntu:24.04
ARG DEBIAN_FRONTEND=noninteractive
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates curl gnupg \
      # the browser
      chromium-browser \
      xvfb \
 && rm -rf /var/lib/apt/lists/*
RUN curl -fsSL https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key | gpg --dearmor -o /etc/apt/keyrings/nodesource.gpg
VOLUME ["/data"]
STOPSIGNAL SIGTERM
CMD ["xvfb-run", "chromium-browser", "--no-sandbox"]
# expect: snapshotUnsafeBase line 1
