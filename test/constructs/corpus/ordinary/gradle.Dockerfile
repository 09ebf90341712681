FROM gradle:8-jdk21 AS build
COPY --chown=gradle:gradle . /home/gradle/src
WORKDIR /home/gradle/src
RUN gradle shadowJar --no-daemon

FROM public.ecr.aws/lambda/microvms:al2023-minimal
RUN dnf install -y java-21-amazon-corretto-headless && dnf clean all
RUN mkdir /app
COPY --from=build /home/gradle/src/build/libs/*-all.jar /app/application.jar
ENTRYPOINT ["java", "-XX:+UseContainerSupport", "-jar", "/app/application.jar"]
