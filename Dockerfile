# The engine's binaries need glibc: a Debian base, no Alpine.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY . .
# `npm ci` builds (package.json: prepare).
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    TRAILHOUND_HOST=0.0.0.0 \
    TRAILHOUND_DATA_DIR=/var/lib/trailhound
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/trailhound
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/bin bin
COPY --from=build /app/dist dist
COPY --from=build /app/schema schema
COPY --from=build /app/queries queries
COPY --from=build /app/node_modules node_modules
USER node
VOLUME /var/lib/trailhound
EXPOSE 9432 9433
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9433/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/trailhound.js"]
CMD ["serve"]
