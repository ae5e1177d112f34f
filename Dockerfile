# The program for CI jobs: one static binary without the embedded GitLab, with git, a shell, CA certificates and time zones.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev gcc make perl cmake
WORKDIR /src
COPY . .
RUN cargo build --release --locked --no-default-features \
  && cp target/release/trainyard /trainyard

FROM alpine:3.22
RUN apk add --no-cache git ca-certificates tzdata && adduser -D -u 10001 trainyard
COPY --from=build /trainyard /usr/local/bin/trainyard
USER 10001
WORKDIR /home/trainyard
# Runners start a shell in the image; there is no entry point of our own in their way.
CMD ["trainyard", "--help"]
