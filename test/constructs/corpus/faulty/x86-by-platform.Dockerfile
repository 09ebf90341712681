FROM public.ecr.aws/lambda/microvms:al2023-minimal AS unused

FROM --platform=linux/amd64 node:22
COPY . /app
# expect: error: x86 only: '--platform=linux/amd64' in line 3
