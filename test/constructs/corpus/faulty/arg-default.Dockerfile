ARG NPM_TOKEN=s3cr3t-of-npm
FROM public.ecr.aws/lambda/microvms:al2023-minimal
# expect: secretContent Dockerfile line 1 (value of ARG NPM_TOKEN)
