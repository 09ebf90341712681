# syntax=docker/dockerfile:1
FROM public.ecr.aws/lambda/microvms:al2023-minimal

RUN <<EOF
set -eux
dnf install -y python3.12 tar gzip
dnf clean all
FROM=nowhere
EOF

RUN <<-"PYTHON" python3.12
	import secrets
	token = secrets.token_hex(16)
	print(1 << 3)
	PYTHON

COPY <<run.sh <<settings.json /app/
#!/bin/sh
exec python3.12 /app/main.py --token-file /run/token
run.sh
{ "passwordFile": "/run/secrets/password", "tokenTtlSeconds": 3600 }
settings.json

RUN chmod +x /app/run.sh && test $((1<<4)) -eq 16
CMD ["/app/run.sh"]
