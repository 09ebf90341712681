FROM public.ecr.aws/lambda/microvms:al2023-minimal
ENV API_TOKEN correct horse battery
# expect: secretContent Dockerfile line 2 (value of ENV API_TOKEN)
