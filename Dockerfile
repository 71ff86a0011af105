# The sources of the service run as they are: Node strips the types. Only the page is built. Debian, not Alpine: musl is not supported.
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages are the embedded PostgreSQL and a Node of npm's own: an image has a database elsewhere, and its own Node.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# With optional packages: what builds the page brings its binary as one of them. Nothing of this goes into the image but the page.
RUN npm ci --ignore-scripts
COPY dashboard ./dashboard
RUN npm run build

FROM node:26-slim
RUN groupadd --gid 10001 switchyard \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin switchyard
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY drizzle ./drizzle
COPY src ./src
COPY --from=page /app/dashboard/dist ./dashboard/dist
# The journal of a replica: mount a volume here, and it outlives the container. A new volume takes this folder's owner.
RUN mkdir /data && chown 10001:10001 /data
VOLUME /data
# Reachable from outside of the container, by those who have a key: ADMIN_KEY makes the first ones. See docs/security.md.
ENV NODE_ENV=production \
  DATA_DIR=/data \
  HOST=0.0.0.0 \
  PORT=4000
USER 10001:10001
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
