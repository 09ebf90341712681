FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN set -e \
 && export PGPASSWORD=Tr0ub4dor \
 && psql -c "select 1"
# expect: secretContent Dockerfile line 3 (value of PGPASSWORD in RUN)
