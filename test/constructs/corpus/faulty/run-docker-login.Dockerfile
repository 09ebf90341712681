FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN dnf install -y docker && docker login -u robot -p Tr0ub4dor registry.example.com
CMD ["/app"]
# expect: secretContent line 2 (password in RUN)
