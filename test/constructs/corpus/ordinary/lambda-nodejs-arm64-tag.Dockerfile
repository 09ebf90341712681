FROM public.ecr.aws/lambda/nodejs:22-arm64 as build
WORKDIR /usr/app
COPY package.json index.ts ./
RUN npm install && npm run build

FROM public.ecr.aws/lambda/nodejs:22-arm64
WORKDIR ${LAMBDA_TASK_ROOT}
COPY --from=build /usr/app/dist/* ./
CMD ["index.handler"]
# expect: snapshotUnsafeBase line 6
