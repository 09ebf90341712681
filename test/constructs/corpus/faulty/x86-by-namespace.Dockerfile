# a comment
FROM amd64/debian:bookworm
RUN true
# expect: error: x86 only: 'amd64/debian:bookworm' in line 2
