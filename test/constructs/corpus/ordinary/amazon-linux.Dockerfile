FROM public.ecr.aws/amazonlinux/amazonlinux:2023
RUN dnf -y update && dnf -y install httpd && dnf clean all
COPY public-html/ /var/www/html/
EXPOSE 80
CMD ["/usr/sbin/httpd", "-D", "FOREGROUND"]
# expect: snapshotUnsafeBase line 1
