FROM mysql:5.7 AS data
FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN --mount=type=bind,from=data,target=/d cp /d/x /x
# expect: x86Base line 1
