FROM public.ecr.aws/lambda/microvms:al2023-minimal
LABEL webhook=https://hooks.slack.com/services/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
# expect: secretContent Dockerfile line 2 (Slack webhook)
