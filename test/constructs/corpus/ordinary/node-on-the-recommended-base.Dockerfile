# syntax=docker/dockerfile:1
FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN dnf install -y nodejs22 && dnf clean all
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY src ./src
ENV NODE_ENV=production PORT=8080
EXPOSE 8080 9000
CMD ["node", "src/server.js"]
