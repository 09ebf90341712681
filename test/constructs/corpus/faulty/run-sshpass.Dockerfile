FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN sshpass -p "Tr0ub4dor" scp build@files.example.com:/model.bin /opt/
CMD ["/app"]
# expect: secretContent line 2 (password in RUN)
