#!/usr/bin/env bash
# graphql-transport-ws by hand: knock until the connection is there, open, wait to be acknowledged, subscribe, read.
# The service closes a connection that does not open within 3 s. `npx wscat` comes with the development packages.
set -euo pipefail
url="${SWITCHYARD_URL:-http://localhost:4000}"

coproc wscat { npx wscat --no-color --connect "${url/http/ws}/graphql" --subprotocol graphql-transport-ws; }
trap 'kill "$wscat_PID" 2>/dev/null || true' EXIT

say() { echo "$1" >&"${wscat[1]}"; }
hear() {
  while read -r line <&"${wscat[0]}"; do
    echo "$line"
    [[ $line == *"$1"* ]] && return
  done
  return 1
}

# What is typed before the connection is there is lost.
until read -r -t 0.3 line <&"${wscat[0]}"; do say '{"type":"ping"}'; done
say '{"type":"connection_init"}'
hear '"connection_ack"'
say '{"id":"breakers","type":"subscribe","payload":{"query":"subscription { breakerEvents { provider { key } to snapshot } }"}}'
hear '"snapshot":true'
say '{"id":"chat","type":"subscribe","payload":{"query":"subscription { chatStream(input: {prompt: \"Write a haiku about railways\"}) { __typename ... on ChatDelta { content } } }"}}'
hear '"ChatCompleted"'
