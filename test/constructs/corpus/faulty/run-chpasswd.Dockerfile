FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN useradd dev \
 && echo 'dev:Tr0ub4dor' | chpasswd
CMD ["/app"]
# expect: secretContent line 3 (password in RUN)
