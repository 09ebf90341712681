FROM public.ecr.aws/lambda/microvms:al2023-minimal
ENV SMTP_USER=app SMTP_PASS=Tr0ub4dor
CMD ["/app"]
# expect: secretContent line 2 (value of ENV SMTP_PASS)
