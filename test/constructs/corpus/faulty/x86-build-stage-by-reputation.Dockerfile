FROM archlinux:latest AS build
RUN make
FROM public.ecr.aws/lambda/microvms:al2023-minimal
COPY --from=build /a /a
# expect: x86Base line 1
