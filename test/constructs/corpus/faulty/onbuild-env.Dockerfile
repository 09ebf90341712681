FROM public.ecr.aws/lambda/microvms:al2023-minimal
ONBUILD ENV SECRET_KEY="very secret indeed"
# expect: secretContent Dockerfile line 2 (value of ENV SECRET_KEY)
