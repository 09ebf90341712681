FROM public.ecr.aws/lambda/microvms:al2023-minimal
# ENV STRIPE=sk_live_aB3dE6gH9jK2mN5pQ8sT1vW4
# expect: secretContent Dockerfile line 2 (Stripe key)
