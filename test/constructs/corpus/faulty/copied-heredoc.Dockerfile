FROM public.ecr.aws/lambda/microvms:al2023-minimal
COPY <<EOF /root/.npmrc
//registry.npmjs.org/:_authToken=npm_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9
EOF
# expect: secretContent Dockerfile line 3 (npm token)
