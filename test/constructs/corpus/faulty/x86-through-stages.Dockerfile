FROM --platform=linux/386 debian AS one
FROM one AS two
FROM two
# expect: error: x86 only: '--platform=linux/386' in line 1
