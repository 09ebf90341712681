FROM public.ecr.aws/lambda/microvms:al2023-minimal
ENV A=1 \
    DB_PASSWORD=hunter2
# expect: secretContent Dockerfile line 3 (value of ENV DB_PASSWORD)
