FROM maven:3-eclipse-temurin-21 AS build
COPY . /app
WORKDIR /app
RUN mvn -q package

FROM gcr.io/distroless/java21-debian12
COPY --from=build /app/target/app.jar /app.jar
CMD ["/app.jar"]
# expect: snapshotUnsafeBase line 6
