FROM public.ecr.aws/lambda/microvms:al2023-minimal AS fetch
ADD https://example.com/a /a
FROM public.ecr.aws/lambda/microvms:al2023-minimal
COPY --from=0 /a /a
# expect: remoteAdd line 2
