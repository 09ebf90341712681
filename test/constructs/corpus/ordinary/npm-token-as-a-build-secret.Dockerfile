# syntax=docker/dockerfile:1
FROM public.ecr.aws/lambda/microvms:al2023-minimal AS deps
RUN dnf install -y nodejs22 nodejs22-npm
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npm_token \
    NPM_TOKEN="$(cat /run/secrets/npm_token)" npm ci
FROM deps
COPY . .
CMD ["node", "index.js"]
