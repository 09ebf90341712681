FROM public.ecr.aws/lambda/microvms:al2023-minimal

	RUN dnf install -y \
		jq \

	&& dnf clean all
EXPOSE	8080
CMD ["jq"]
