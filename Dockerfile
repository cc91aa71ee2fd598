# One image for every process: the command is `yuanlu`'s.
ARG NODE_IMAGE=node:20-bookworm-slim

# Compiles the sources and bundles the workflows, with every development package at hand.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

# The run-time packages alone. The embedded PostgreSQL is optional and stays out.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
# The sandbox's book lives here when a volume is mounted on it, owned by the unprivileged user.
RUN install --directory --owner=node --group=node --mode=0700 /sandbox
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY --from=build /app/dist ./dist
USER node
ENTRYPOINT ["node", "/app/bin/yuanlu.mjs"]
CMD ["--help"]
