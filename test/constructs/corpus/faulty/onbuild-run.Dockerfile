FROM public.ecr.aws/lambda/microvms:al2023-minimal
ONBUILD RUN curl -u ci:Tr0ub4dor -O https://files.example.com/model.bin
# expect: secretContent Dockerfile line 2 (password in RUN)
