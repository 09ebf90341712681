FROM maven:3.9-amazoncorretto-21 AS build
WORKDIR /home/app
COPY pom.xml .
RUN mvn -B dependency:go-offline
COPY src src
RUN mvn -B -DskipTests package

FROM public.ecr.aws/amazoncorretto/amazoncorretto:21-al2023-headless
COPY --from=build /home/app/target/app.jar /app.jar
EXPOSE 8080
ENTRYPOINT ["java","-jar","/app.jar"]
# expect: snapshotUnsafeBase line 8
