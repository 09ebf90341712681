FROM --platform=${PLATFORM:-linux/amd64} debian
# expect: error: x86 only: '--platform=linux/amd64' in line 1
