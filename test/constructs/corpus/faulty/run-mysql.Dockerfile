FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN mysql -uapp -pTr0ub4dor app < /schema.sql
CMD ["/app"]
# expect: secretContent line 2 (password in RUN)
