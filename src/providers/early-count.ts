import { fieldAt } from './json-field.ts';

/**
 * The input tokens that a frame of a stream reports before its end, as Anthropic does with the first one, and Gemini and some
 * compatible servers with each. Null: it reports none. Without it, the input of a stream that breaks off is only known from above.
 */
export function earlyInputTokens(frame: unknown): number | null {
  const anthropic = fieldAt(frame, 'message', 'usage');
  if (anthropic !== undefined) {
    // What is written to a cache or read from it stands apart there.
    const fields = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
    return fields.reduce((sum, field) => sum + (numberIn(anthropic, field) ?? 0), 0);
  }
  return numberIn(frame, 'usageMetadata', 'promptTokenCount') ?? numberIn(frame, 'usage', 'prompt_tokens');
}

function numberIn(value: unknown, ...path: readonly string[]): number | null {
  const found = fieldAt(value, ...path);
  return typeof found === 'number' ? found : null;
}
