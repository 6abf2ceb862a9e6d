# syntax=docker/dockerfile:1

# The binary is cross-built on the builder's own platform, never emulated.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=unknown
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -tags nomsgpack -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/chatkit-rest ./cmd/chatkit-rest \
    && mkdir /out/data

# Only the binary and the certificates of authorities. The server needs no shell, no
# time zones (all times are UTC) and no writable root. A SQLite database is in /data,
# the only folder that is written to.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/chatkit-rest /chatkit-rest
COPY --from=build --chown=65532:65532 /out/data /data
ENV HOST=0.0.0.0 PORT=8080 DATABASE_URL=sqlite:////data/chatkit.db
WORKDIR /data
USER 65532:65532
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["/chatkit-rest", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/chatkit-rest"]
CMD ["serve"]
