RUN <<EOF
FROM debian
EOF
# expect: error: must have a FROM
