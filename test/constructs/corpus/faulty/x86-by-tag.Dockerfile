FROM public.ecr.aws/lambda/python:3.13-x86_64
# expect: error: x86 only: 'public.ecr.aws/lambda/python:3.13-x86_64' in line 1
