# Made on purpose for x86: what is copied from it does not depend on the architecture.
FROM --platform=linux/amd64 archlinux:latest AS assets
RUN pacman -Sy --noconfirm hugo && hugo --destination /site

FROM public.ecr.aws/lambda/microvms:al2023-minimal AS clearlinux
RUN dnf install -y nginx

FROM clearlinux
COPY --from=assets /site /usr/share/nginx/html
CMD ["nginx", "-g", "daemon off;"]
