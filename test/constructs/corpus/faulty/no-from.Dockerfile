# FROM debian
RUN true
# expect: error: must have a FROM
