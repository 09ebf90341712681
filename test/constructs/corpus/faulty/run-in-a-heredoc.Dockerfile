FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN <<EOF
curl -H "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLWEtdGVzdA" https://example.com
EOF
# expect: secretContent Dockerfile line 3 (JSON Web Token)
