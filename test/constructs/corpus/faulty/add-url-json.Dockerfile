FROM public.ecr.aws/lambda/microvms:al2023-minimal
ADD --chown=1 ["https://example.com/a b", "/opt/"]
# expect: remoteAdd line 2
