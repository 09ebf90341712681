FROM public.ecr.aws/lambda/microvms:al2023-minimal
ADD https://example.com/agent.tar.gz /opt/
# expect: remoteAdd line 2: ADD from 'example.com'
