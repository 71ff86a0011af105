import type { Message } from './message.ts';

/** Any JSON object, such as a JSON Schema. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What OpenAI, Anthropic and Gemini all take as a name. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export const TOOL_NAME_RULE = 'must have 1 to 64 letters, digits, underscores or dashes';

export function isToolName(name: string): boolean {
  return NAME.test(name);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How deep JSON of a caller may nest: whatever writes it again does so level by level. */
const JSON_DEPTH_MAX = 64;

export const TOO_DEEP = `nests deeper than ${JSON_DEPTH_MAX} levels; at most that many are taken`;

/** Whether JSON of a caller nests deeper than is taken. Looks no deeper than that. */
export function isNestedTooDeep(value: unknown, levelsLeft: number = JSON_DEPTH_MAX): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levelsLeft === 0 || Object.values(value).some((inner) => isNestedTooDeep(inner, levelsLeft - 1));
}

/** A function that the model may call. */
export interface Tool {
  readonly name: string;
  /** What it does, for the model. Null: the name must do. */
  readonly description: string | null;
  /** JSON Schema of its arguments. Null: it takes none. */
  readonly parameters: JsonObject | null;
  /** Whether the arguments must follow the schema exactly. Null: as the provider usually does. */
  readonly isStrict: boolean | null;
}

export const TOOL_MODES = ['auto', 'none', 'required'] as const;

/** Whether a tool must be called: as a rule, or this one. */
export type ToolChoice =
  | { readonly kind: (typeof TOOL_MODES)[number] }
  | { readonly kind: 'function'; readonly name: string };

/** The tools of a request and how they may be used. */
export interface ToolUse {
  /** At least one, each with a name of its own. */
  readonly tools: readonly Tool[];
  /** Null: as the provider usually does, which is `auto`. */
  readonly choice: ToolChoice | null;
  /** Whether one answer may call several. Null: as the provider usually does. */
  readonly isParallel: boolean | null;
}

/** The wanted shape of an answer's text: any JSON object, or one that follows a schema. */
export type ResponseFormat =
  | { readonly kind: 'json' }
  | {
      readonly kind: 'jsonSchema';
      readonly name: string;
      /** What it is for, for the model. Null: the name must do. */
      readonly description: string | null;
      readonly schema: JsonObject;
      readonly isStrict: boolean;
    };

/** Whether a model must know tools to be asked this: it may call some, or is told of earlier calls. */
export function hasTools(asked: { readonly messages: readonly Message[]; readonly tools: ToolUse | null }): boolean {
  return asked.tools !== null || asked.messages.some(isOfTool);
}

function isOfTool(message: Message): boolean {
  return message.role === 'tool' || (message.role === 'assistant' && message.toolCalls !== null);
}
