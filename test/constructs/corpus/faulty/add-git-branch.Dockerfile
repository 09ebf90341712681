FROM public.ecr.aws/lambda/microvms:al2023-minimal
ADD https://github.com/moby/buildkit.git#v0.14 /src
ADD git@github.com:moby/buildkit.git /src2
# expect: remoteAdd line 2: ADD from 'github.com', line 3: ADD from 'github.com'
