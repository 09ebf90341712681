FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN git clone https://oauth2:Tr0ub4dor@git.example.com/a.git
# expect: secretContent Dockerfile line 2 (password in a URL)
