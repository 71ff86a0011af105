// What OpenAI's API answers to chats, errors and lists of models, in the form of an OpenAPI document and under OpenAI's names. Written
// down from what OpenAI documents, as of its API description 2.3.0, for the fields that a client reads; the types of OpenAI's own
// package, which are made from that description, are held against it in test/http/openai-oracle.test.ts.

const object = (required: object, optional: object = {}) => ({
  type: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
});
const list = (items: object) => ({ type: 'array', items });
const words = (...all: readonly string[]) => ({ type: 'string', enum: all });
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

const END_WORDS = words('stop', 'length', 'tool_calls', 'content_filter', 'function_call');
const SERVICE_TIER = orNull(words('auto', 'default', 'flex', 'scale', 'priority', 'fast'));

const TOP_LOGPROB = { token: text, logprob: { type: 'number' }, bytes: orNull(list({ type: 'integer' })) };
const LOGPROBS = orNull(
  object({
    content: orNull(list(ref('ChatCompletionTokenLogprob'))),
    refusal: orNull(list(ref('ChatCompletionTokenLogprob'))),
  }),
);

const CALL = object({ id: text, type: words('function'), function: object({ name: text, arguments: text }) });
const CALL_PIECE = object(
  { index: count },
  { id: text, type: words('function'), function: object({}, { name: text, arguments: text }) },
);

const SCHEMAS = {
  CreateChatCompletionResponse: object(
    {
      id: text,
      object: words('chat.completion'),
      created: count,
      model: text,
      choices: list(
        object({
          index: count,
          finish_reason: END_WORDS,
          logprobs: LOGPROBS,
          message: ref('ChatCompletionResponseMessage'),
        }),
      ),
    },
    { usage: ref('CompletionUsage'), service_tier: SERVICE_TIER, system_fingerprint: text },
  ),
  ChatCompletionResponseMessage: object(
    { role: words('assistant'), content: orNull(text), refusal: orNull(text) },
    { tool_calls: list(CALL), annotations: { type: 'array' } },
  ),
  CreateChatCompletionStreamResponse: object(
    {
      id: text,
      object: words('chat.completion.chunk'),
      created: count,
      model: text,
      choices: list(
        object(
          { index: count, finish_reason: orNull(END_WORDS), delta: ref('ChatCompletionStreamResponseDelta') },
          { logprobs: LOGPROBS },
        ),
      ),
    },
    {
      usage: orNull(ref('CompletionUsage')),
      service_tier: SERVICE_TIER,
      system_fingerprint: text,
      obfuscation: text,
    },
  ),
  ChatCompletionStreamResponseDelta: object(
    {},
    {
      role: words('developer', 'system', 'user', 'assistant', 'tool'),
      content: orNull(text),
      refusal: orNull(text),
      tool_calls: list(CALL_PIECE),
    },
  ),
  ChatCompletionTokenLogprob: object({ ...TOP_LOGPROB, top_logprobs: list(object(TOP_LOGPROB)) }),
  CompletionUsage: object(
    { prompt_tokens: count, completion_tokens: count, total_tokens: count },
    {
      prompt_tokens_details: object({}, { cached_tokens: count, audio_tokens: count, cache_write_tokens: count }),
      completion_tokens_details: object(
        {},
        {
          reasoning_tokens: count,
          audio_tokens: count,
          accepted_prediction_tokens: count,
          rejected_prediction_tokens: count,
        },
      ),
    },
  ),
  ErrorResponse: object({ error: ref('Error') }),
  Error: object({ message: text, type: text, param: orNull(text), code: orNull(text) }),
  ListModelsResponse: object({ object: words('list'), data: list(ref('Model')) }),
  Model: object({ id: text, object: words('model'), created: count, owned_by: text }),
} as const;

export const OPENAI_ANSWERS = { components: { schemas: SCHEMAS } };
