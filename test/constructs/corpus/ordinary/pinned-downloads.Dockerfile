# syntax=docker/dockerfile:1
FROM public.ecr.aws/lambda/microvms:al2023-minimal
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://mirrors.edge.kernel.org/pub/linux/kernel/Historic/linux-0.01.tar.gz /
ADD https://github.com/moby/buildkit.git#0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 /buildkit
ADD assets.tar.gz /srv/
ADD ["file with spaces.txt", "/srv/"]
CMD ["/srv/run"]
