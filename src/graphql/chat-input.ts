import { builder } from './builder.ts';
import { ResponseFormatInput, ToolCallInput, ToolChoiceInput, ToolInput } from './tool.ts';
import { CategoryEnum, RoleEnum } from './words.ts';

const ReasoningEffortEnum = builder.enumType('ReasoningEffort', {
  description: 'How much to think.',
  values: {
    MINIMAL: { value: 'minimal', description: 'As little as possible.' },
    LOW: { value: 'low', description: 'A little.' },
    MEDIUM: { value: 'medium', description: "The provider's usual amount." },
    HIGH: { value: 'high', description: 'As much as useful.' },
  },
});

const RoutingSortEnum = builder.enumType('RoutingSort', {
  description: 'One quality to rank by.',
  values: {
    PRICE: { value: 'price', description: 'Cheapest first.' },
    LATENCY: { value: 'latency', description: 'Lowest recent latency first.' },
    THROUGHPUT: { value: 'throughput', description: 'Most tokens per second first.' },
    QUALITY: { value: 'quality', description: "Best fit for the prompt's category first." },
  },
});

const ContentPartInput = builder.inputType('ContentPartInput', {
  description: 'One part of a message.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: 'A piece of text.' }),
    imageUrl: t.string({ description: 'An image by https or data URL.' }),
  }),
});

const ChatMessageInput = builder.inputType('ChatMessageInput', {
  description: 'One message of a conversation.',
  fields: (t) => ({
    role: t.field({ type: RoleEnum, description: 'Who speaks.', required: true }),
    content: t.string({ description: 'The text.' }),
    parts: t.field({ type: [ContentPartInput], description: 'Text and image parts, instead of `content`.' }),
    toolCalls: t.field({ type: [ToolCallInput], description: 'Tool calls the assistant made in this turn.' }),
    toolCallId: t.id({ description: 'The call that a TOOL message answers.' }),
  }),
});

const MaxPriceInput = builder.inputType('MaxPriceInput', {
  description: 'List prices in US dollars per million tokens.',
  fields: (t) => ({
    inputUsdPerMillion: t.field({ type: 'Decimal', description: 'Price of input tokens.' }),
    outputUsdPerMillion: t.field({ type: 'Decimal', description: 'Price of output tokens.' }),
  }),
});

const RoutingPreferencesInput = builder.inputType('RoutingPreferencesInput', {
  description:
    'Wishes and limits for choosing a provider. Field names follow the `provider` object that OpenAI-compatible routers use on REST,\nso both doors accept the same ideas.',
  fields: (t) => ({
    order: t.idList({ description: 'Try these providers first, in this order.' }),
    only: t.idList({ description: 'Use no others than these.' }),
    ignore: t.idList({ description: 'Never use these.' }),
    sort: t.field({
      type: RoutingSortEnum,
      description: 'Rank by one quality alone. Empty: the balanced score of the routing policy.',
    }),
    allowFallbacks: t.boolean({
      description: 'May other providers be tried when the first choice fails?',
      defaultValue: true,
    }),
    maxAttempts: t.int({ description: 'Most attempts in total, the first included.', defaultValue: 3 }),
    requireParameters: t.boolean({
      description: 'Only models that support every parameter used.',
      defaultValue: true,
    }),
    maxPrice: t.field({ type: MaxPriceInput, description: 'Highest acceptable list prices.' }),
    maxLatencyMs: t.int({ description: 'Skip providers whose recent p95 latency is above this.' }),
    category: t.field({ type: CategoryEnum, description: 'Overrides the prompt classifier.' }),
  }),
});

/** What `chat` and `routePreview` take. The gateway checks the values. */
export const ChatInput = builder.inputType('ChatInput', {
  description:
    'One chat request. Exactly one of `prompt` and `messages` is required; everything else has a sensible default.',
  fields: (t) => ({
    prompt: t.string({ description: 'Shorthand for a single user message.' }),
    messages: t.field({ type: [ChatMessageInput], description: 'The conversation so far, oldest first.' }),
    system: t.string({ description: 'System instruction placed before the conversation.' }),
    model: t.string({
      description: 'A model name, an alias, `provider/model`, or `auto` to let the router choose.',
      defaultValue: 'auto',
    }),
    fallbackModels: t.stringList({
      description: "Models to try in this order after `model`, before the router's own fallbacks.",
    }),
    maxOutputTokens: t.int({
      description: 'Most tokens to generate. Also bounds the amount reserved from the budget.',
    }),
    temperature: t.float({ description: 'Sampling temperature, 0 to 2.' }),
    topP: t.float({ description: 'Nucleus sampling, 0 to 1.' }),
    stop: t.stringList({ description: 'Up to four sequences that end the answer.' }),
    seed: t.int({ description: 'Asks for repeatable sampling where the provider supports it.' }),
    tools: t.field({ type: [ToolInput], description: 'Functions the model may call.' }),
    toolChoice: t.field({ type: ToolChoiceInput, description: 'Whether and which tool must be called.' }),
    responseFormat: t.field({
      type: ResponseFormatInput,
      description: 'Shape of the answer; free text when empty.',
    }),
    reasoningEffort: t.field({
      type: ReasoningEffortEnum,
      description: 'How much the model should think before answering, where supported.',
    }),
    routing: t.field({ type: RoutingPreferencesInput, description: 'Wishes and limits for the choice of provider.' }),
    maxCostUsd: t.field({
      type: 'Decimal',
      description: 'Hard limit for this request. The router never starts an attempt whose worst case exceeds it.',
    }),
    timeoutMs: t.int({ description: 'Time limit for the whole request, fallbacks included.' }),
    userId: t.string({
      description: "The end user to bill, when the API key may act for others; the key's own user otherwise.",
    }),
    conversationId: t.string({ description: 'Groups the turns of one conversation in the log.' }),
    metadata: t.field({
      type: 'JSON',
      description: 'Up to 16 short labels kept with the request and usable as a filter.',
    }),
    idempotencyKey: t.string({
      description:
        'Makes retries safe: the same key and input within 24 h return the first outcome and cost nothing more.',
    }),
  }),
});
