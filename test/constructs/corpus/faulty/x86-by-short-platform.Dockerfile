FROM --platform=amd64 scratch
CMD ["/app"]
# expect: error: --platform=amd64
