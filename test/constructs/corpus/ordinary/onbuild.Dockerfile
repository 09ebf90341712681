FROM public.ecr.aws/lambda/microvms:al2023-minimal AS runtime
RUN dnf install -y nodejs22
ONBUILD ARG NODE_ENV=production
ONBUILD COPY package.json /app/
ONBUILD RUN cd /app && npm install

FROM runtime
COPY . /app
CMD ["node", "/app"]
