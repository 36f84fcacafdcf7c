FROM node:24.21.0-slim AS build
WORKDIR /app

# No install scripts: native parts come prebuilt in their packages.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node tools/package/build.ts
# What the compiled product never loads leaves node_modules: bundlers, types, native code for other platforms.
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund && node tools/package/prune-modules.ts node_modules

FROM node:24.21.0-slim

# Temporal's client takes the system's root certificates for TLS, and the slim image has none.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
ENV NODE_ENV=production UNBROKEN_DATA_DIR=/app/.unbroken

COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./
RUN mkdir -p .unbroken/front && chown -R node:node .unbroken

USER node
EXPOSE 8787 9464
HEALTHCHECK --interval=10s --timeout=5s --retries=6 --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.UNBROKEN_PORT || 8787) + '/healthz').then((r) => process.exit(r.ok ? 0 : 1))"]
CMD ["node", "api/main.js"]
