import { z } from 'zod';
import { EFFORTS } from '../../core/prompt.ts';
import { MESSAGE } from './message-shape.ts';
import { AMOUNT, PROVIDER_WISHES } from './provider-wishes.ts';
import { TOOL_FIELDS } from './tool-shape.ts';

const NUMBER = z.number().nullish();
const TEXT = z.string().nullish();

/** One text is the same as a list of one. */
const STOP = z.preprocess(
  (stop) => (typeof stop === 'string' ? [stop] : stop),
  z.array(z.string(), { error: 'must be a text or a list of texts' }).nullish(),
);

/** A body of `POST /v1/chat/completions`, as far as types go. Fields that it does not name are kept. */
export const CHAT_SHAPE = z.looseObject({
  model: TEXT,
  models: z.array(z.string()).nullish(),
  messages: z.array(MESSAGE),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: NUMBER,
  max_completion_tokens: NUMBER,
  temperature: NUMBER,
  top_p: NUMBER,
  stop: STOP,
  seed: NUMBER,
  n: NUMBER,
  reasoning_effort: z.enum(EFFORTS).nullish(),
  presence_penalty: NUMBER,
  frequency_penalty: NUMBER,
  logprobs: z.boolean().nullish(),
  top_logprobs: NUMBER,
  user: TEXT,
  metadata: z.record(z.string(), z.unknown()).nullish(),
  store: z.unknown().optional(),
  provider: PROVIDER_WISHES.nullish(),
  max_cost_usd: AMOUNT,
  timeout_ms: NUMBER,
  conversation_id: TEXT,
  ...TOOL_FIELDS,
});

export type ChatShape = z.infer<typeof CHAT_SHAPE>;

/** Everything that the service has a word for. The rest is handed on to providers that speak this protocol. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(CHAT_SHAPE.shape));
