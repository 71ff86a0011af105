#!/usr/bin/env bash
# graphql-transport-ws by hand, as it would be typed: open, wait to be acknowledged, subscribe, read.
# The service closes a connection that says nothing for 3 s. `npx wscat` comes with the development packages.
set -euo pipefail
url="${SWITCHYARD_URL:-http://localhost:4000}"

type_by_hand() {
  sleep 2.5
  echo '{"type":"connection_init"}'
  sleep 2.5
  echo '{"id":"breakers","type":"subscribe","payload":{"query":"subscription { breakerEvents { provider { key } to snapshot } }"}}'
  echo '{"id":"chat","type":"subscribe","payload":{"query":"subscription { chatStream(input: {prompt: \"Write a haiku about railways\"}) { __typename ... on ChatDelta { content } } }"}}'
  sleep 2.5
}

type_by_hand | npx wscat --no-color --connect "${url/http/ws}/graphql" --subprotocol graphql-transport-ws
