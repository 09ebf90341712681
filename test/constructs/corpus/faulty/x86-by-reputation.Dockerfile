FROM mcr.microsoft.com/mssql/server:2022-latest
# expect: x86Base line 1
