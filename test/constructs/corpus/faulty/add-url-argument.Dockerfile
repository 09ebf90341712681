FROM public.ecr.aws/lambda/microvms:al2023-minimal
ARG URL=http://example.com
RUN true
ADD ${URL}/x /x
# expect: remoteAdd line 4: ADD from 'example.com'
