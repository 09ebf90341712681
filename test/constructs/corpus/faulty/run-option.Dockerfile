FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN mysql --password=Tr0ub4dor -e x
RUN registry login --password Tr0ub4dor
# expect: secretContent Dockerfile line 2 (value of --password in RUN), Dockerfile line 3 (value of --password in RUN)
