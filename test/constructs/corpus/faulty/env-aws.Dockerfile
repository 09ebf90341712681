FROM public.ecr.aws/lambda/microvms:al2023-minimal
ENV AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
ENV AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
# expect: secretContent Dockerfile line 2 (AWS access key), Dockerfile line 3 (AWS secret access key)
