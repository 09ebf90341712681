# escape=`

FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN dnf install -y `
      jq `
      # a comment among continued lines
      nodejs22 `
 && dnf clean all
ENV PROMPT=\w\ $
CMD ["node"]
