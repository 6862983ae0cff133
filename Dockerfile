# An image of Keyway. Nothing of it needs root, and it runs with a file system that is read-only but for /var/lib/keyway
# and /tmp. docs/operation.md says how it is used; `npm run image:rehearse` runs its steps without Docker.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY console/package.json console/
RUN npm ci
COPY .swcrc ./
COPY bin bin
COPY console console
COPY src src
COPY migrations migrations
COPY test/upstreams test/upstreams
# What npm notes of its last change would look as if there were something to build again.
RUN node bin/build.js && npm prune --omit=dev && rm node_modules/.package-lock.json node_modules/keyway-console

FROM node:${NODE_VERSION}-bookworm-slim
RUN install -d -m 0700 -o node -g node /var/lib/keyway
WORKDIR /opt/keyway
COPY package.json ./
COPY bin bin
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist/keyway.js dist/keyway.js
COPY --from=build /build/dist/console dist/console
COPY --from=build /build/dist/embedded dist/embedded
COPY --from=build /build/dist/packed dist/packed
ENV NODE_ENV=production HOST=0.0.0.0 KEYWAY_DATA_DIR=/var/lib/keyway
# By its number, so that Kubernetes can see that it is not root: the user `node` of the base image.
USER 1000:1000
VOLUME ["/var/lib/keyway"]
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 4000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/keyway.js"]
CMD ["serve"]
