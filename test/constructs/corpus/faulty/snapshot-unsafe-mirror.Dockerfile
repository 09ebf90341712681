FROM public.ecr.aws/docker/library/python:3.13
# expect: snapshotUnsafeBase line 1
