FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN curl -u robot:Tr0ub4dor https://example.com/x
# expect: secretContent Dockerfile line 2 (password in RUN)
