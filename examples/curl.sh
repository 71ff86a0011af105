#!/usr/bin/env bash
# One chat, whole and streamed, through both doors. Needs curl and nothing else.
set -euo pipefail
url="${SWITCHYARD_URL:-http://localhost:4000}"
json='content-type: application/json'

echo '# GraphQL: the answer, what it cost, and why it was routed as it was'
curl --silent --show-error --fail-with-body "$url/graphql" -H "$json" -d '{
  "query": "mutation($input: ChatInput!) { chat(input: $input) { ... on ChatSuccess { content cost { totalUsd } routing { summary } } ... on ApiError { code message } } }",
  "variables": { "input": { "prompt": "Write a haiku about railways" } }
}'

echo; echo '# GraphQL: the same as a stream of server-sent events'
curl --silent --show-error --fail-with-body --no-buffer "$url/graphql" -H "$json" -H 'accept: text/event-stream' -d '{
  "query": "subscription($input: ChatInput!) { chatStream(input: $input) { ... on ChatStarted { routing { summary } } ... on ChatDelta { content } ... on ChatCompleted { result { cost { totalUsd } } } ... on ChatFailed { error { code message } } } }",
  "variables": { "input": { "prompt": "Write a haiku about railways" } }
}'

echo; echo '# OpenAI-compatible: the same request as OpenAI'"'"'s clients send it'
curl --silent --show-error --fail-with-body "$url/v1/chat/completions" -H "$json" -d '{
  "model": "auto",
  "messages": [{ "role": "user", "content": "Write a haiku about railways" }]
}'

echo; echo '# OpenAI-compatible, streamed, with the usage and the cost in the last chunk'
curl --silent --show-error --fail-with-body --no-buffer "$url/v1/chat/completions" -H "$json" -d '{
  "model": "auto",
  "messages": [{ "role": "user", "content": "Write a haiku about railways" }],
  "stream": true,
  "stream_options": { "include_usage": true }
}'
