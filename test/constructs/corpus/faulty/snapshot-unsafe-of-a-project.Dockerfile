FROM ghcr.io/puppeteer/puppeteer:24
CMD ["node", "server.js"]
# expect: snapshotUnsafeBase line 1
