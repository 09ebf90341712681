FROM public.ecr.aws/lambda/microvms:al2023-minimal
ENV BYPASS_CACHE=1 COMPASS=north PASS_THROUGH=yes1
RUN mkdir -p app2/data1 /opt/app2 && useradd -p '!' app && npm ci --prefix ./login -p 8080 \
 && docker run -p 8080:80 app2 || true
RUN echo "app:app" | chpasswd && chpasswd < /run/secrets/users
RUN --mount=type=secret,id=registry docker login -u robot -p "$(cat /run/secrets/registry)" registry.example.com
RUN mysql -uroot --protocol=tcp -P3306 app2 < /schema.sql
CMD ["/app"]
