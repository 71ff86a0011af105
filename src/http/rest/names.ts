import type { InputIssue } from '../../core/outcome.ts';

// The core speaks of fields in the words of GraphQL. Here they are said in the words of this door.

/** One place of a body, such as `['messages', '0', 'content']`. */
export type RestPath = readonly (string | number)[];

/** A problem of a body, under the name that the field has at this door. */
export interface RestIssue {
  readonly param: string;
  readonly message: string;
}

/** How the caller wrote fields that have two spellings here. */
export interface Spelling {
  readonly outputLimit: 'max_tokens' | 'max_completion_tokens';
  /** Without `model` the first of `models` is the model. */
  readonly isModelInList: boolean;
}

const SEGMENTS: Readonly<Record<string, readonly string[]>> = {
  topP: ['top_p'],
  reasoningEffort: ['reasoning_effort'],
  routing: ['provider'],
  maxPrice: ['max_price'],
  inputUsdPerMillion: ['prompt'],
  outputUsdPerMillion: ['completion'],
  maxAttempts: ['max_attempts'],
  maxLatencyMs: ['preferred_max_latency'],
  allowFallbacks: ['allow_fallbacks'],
  requireParameters: ['require_parameters'],
  maxCostUsd: ['max_cost_usd'],
  timeoutMs: ['timeout_ms'],
  userId: ['user'],
  conversationId: ['conversation_id'],
  idempotencyKey: ['Idempotency-Key'],
  parts: ['content'],
  imageUrl: ['image_url', 'url'],
  toolCalls: ['tool_calls'],
  toolCallId: ['tool_call_id'],
  toolChoice: ['tool_choice'],
  responseFormat: ['response_format'],
  jsonSchema: ['json_schema'],
  parallelToolCalls: ['parallel_tool_calls'],
  presencePenalty: ['presence_penalty'],
  frequencyPenalty: ['frequency_penalty'],
};

/** What a function of a tool, or of a call of one, has inside of `function` here. */
const OF_FUNCTION = ['name', 'description', 'parameters', 'strict', 'arguments'];

/** Names that cannot be mistaken for a word of English. */
const FIELD_WORDS = Object.entries(SEGMENTS)
  .filter(([name]) => /[A-Z]/.test(name))
  .map(([name, here]) => [new RegExp(`\\b${name}\\b`, 'g'), here.join('.')] as const);

const WORDS: readonly (readonly [RegExp, string])[] = [
  ...FIELD_WORDS,
  [/the query `models`/g, 'GET /v1/models'],
  [/\bmaxOutputTokens\b/g, 'max_tokens'],
  [/`prompt` and `messages`/g, '`messages` and nothing else'],
  [/\bcome from USER\b/g, 'have the role user'],
  [/\bUSER messages/g, 'messages of the role user'],
  [/\bTOOL messages/g, 'messages of the role tool'],
  [/\bASSISTANT messages/g, 'messages of the role assistant'],
  [/\brouting\.(candidates|attempts)\b/g, 'gateway.routing.$1 (with x-switchyard-metadata: enabled)'],
];

/** A message of the core, with fields called as they are called here. */
export function inRestWords(message: string): string {
  return WORDS.reduce((text, [word, here]) => text.replaceAll(word, here), message);
}

export function restIssueOf(issue: InputIssue, spelling: Spelling): RestIssue {
  return { param: formatPath(renamed(issue.path, spelling)), message: inRestWords(issue.message) };
}

/** Such as `messages[0].content`. */
export function formatPath(path: RestPath): string {
  return path.reduce<string>((text, segment) => {
    if (/^\d+$/.test(String(segment))) return `${text}[${segment}]`;
    return text === '' ? String(segment) : `${text}.${segment}`;
  }, '');
}

function renamed(path: InputIssue['path'], { outputLimit, isModelInList }: Spelling): RestPath {
  const [first = '', second] = path;
  if (first === 'maxOutputTokens') return [outputLimit];
  if (first === 'model' && isModelInList) return ['models', '0'];
  if (first === 'fallbackModels') {
    return second === undefined ? ['models'] : ['models', String(Number(second) + (isModelInList ? 1 : 0))];
  }
  // The names of labels are the caller's own.
  if (first === 'metadata') return path;
  return path.flatMap((segment, at) => {
    const list = path[at - 2];
    const isOfFunction = (list === 'tools' || list === 'toolCalls') && OF_FUNCTION.includes(segment);
    return isOfFunction ? ['function', segment] : (SEGMENTS[segment] ?? [segment]);
  });
}
