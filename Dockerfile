# The page is built with packages that the image does not need.
FROM node:24.21.0-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY clients ./clients
COPY contracts ./contracts
RUN node clients/web/build.ts

FROM node:24.21.0-slim

# Temporal's client takes the system's root certificates for TLS, and the slim image has none.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
ENV NODE_ENV=production UNBROKEN_DATA_DIR=/app/.unbroken

# No install scripts: the image has its Node, and the native parts come prebuilt in their packages.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

COPY . .
COPY --from=page /app/clients/web/dist ./clients/web/dist

# The workflow bundle is made here, so that a worker that is started again polls at once.
RUN mkdir -p /app/.unbroken/front \
  && node -e "import('./worker/bundle-workflows.ts').then(async ({ bundleWorkflows: bundle }) => { \
    for (const isEncrypted of [false, true]) for (const isTraced of [false, true]) \
      await bundle('/app/.unbroken', { isEncrypted, isTraced }); })" \
  && chown -R node:node /app/.unbroken

USER node
EXPOSE 8787 9464
HEALTHCHECK --interval=10s --timeout=5s --retries=6 --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.UNBROKEN_PORT || 8787) + '/healthz').then((r) => process.exit(r.ok ? 0 : 1))"]
CMD ["node", "api/main.ts"]
