FROM public.ecr.aws/lambda/microvms:al2023-minimal
ADD https://robot:Tr0ub4dor@files.example.com/a /opt/
# expect: remoteAdd line 2: ADD from 'files.example.com'
# expect: secretContent Dockerfile line 2 (password in a URL)
