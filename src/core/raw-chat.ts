import type { Category } from './category.ts';
import type { Sort } from './chat-request.ts';
import type { ImageDetail, Role, ToolCall } from './message.ts';
import type { PicoUsd } from './money.ts';
import type { ReasoningEffort } from './prompt.ts';
import type { TOOL_MODES } from './tool.ts';

/** A field that a door may leave out or send as null: both mean "not said". Only here; everything later has one spelling. */
type Said<Value> = Value | null | undefined;

/** A chat as a door hands it over: types are right, values are not checked. */
export interface RawChat {
  readonly prompt?: Said<string>;
  readonly messages?: Said<readonly RawMessage[]>;
  readonly system?: Said<string>;
  readonly model?: Said<string>;
  readonly fallbackModels?: Said<readonly string[]>;
  readonly maxOutputTokens?: Said<number>;
  readonly temperature?: Said<number>;
  readonly topP?: Said<number>;
  readonly stop?: Said<readonly string[]>;
  readonly seed?: Said<number>;
  readonly reasoningEffort?: Said<ReasoningEffort>;
  readonly presencePenalty?: Said<number>;
  readonly frequencyPenalty?: Said<number>;
  readonly tools?: Said<readonly RawTool[]>;
  readonly toolChoice?: Said<RawToolChoice>;
  readonly parallelToolCalls?: Said<boolean>;
  readonly responseFormat?: Said<RawResponseFormat>;
  readonly extras?: Said<Readonly<Record<string, unknown>>>;
  readonly routing?: Said<RawPreferences>;
  readonly maxCostUsd?: Said<PicoUsd>;
  readonly timeoutMs?: Said<number>;
  readonly userId?: Said<string>;
  readonly conversationId?: Said<string>;
  readonly metadata?: Said<unknown>;
  readonly idempotencyKey?: Said<string>;
}

export interface RawMessage {
  readonly role: Role;
  readonly content?: Said<string>;
  readonly parts?: Said<readonly RawPart[]>;
  readonly toolCalls?: Said<readonly ToolCall[]>;
  readonly toolCallId?: Said<string>;
}

/** Exactly one of the first two. */
export interface RawPart {
  readonly text?: Said<string>;
  readonly imageUrl?: Said<string>;
  /** Of an image. */
  readonly detail?: Said<ImageDetail>;
}

export interface RawTool {
  readonly name: string;
  readonly description?: Said<string>;
  readonly parameters?: Said<unknown>;
  readonly strict?: Said<boolean>;
}

/** Exactly one of the two. */
export interface RawToolChoice {
  readonly mode?: Said<(typeof TOOL_MODES)[number]>;
  readonly function?: Said<string>;
}

/** Exactly one of the two. */
export interface RawResponseFormat {
  readonly jsonObject?: Said<boolean>;
  readonly jsonSchema?: Said<{
    readonly name: string;
    readonly description?: Said<string>;
    readonly schema?: unknown;
    readonly strict?: Said<boolean>;
  }>;
}

export interface RawPreferences {
  readonly order?: Said<readonly string[]>;
  readonly only?: Said<readonly string[]>;
  readonly ignore?: Said<readonly string[]>;
  readonly sort?: Said<Sort>;
  readonly allowFallbacks?: Said<boolean>;
  readonly maxAttempts?: Said<number>;
  readonly requireParameters?: Said<boolean>;
  readonly maxPrice?: Said<{
    readonly inputUsdPerMillion?: Said<PicoUsd>;
    readonly outputUsdPerMillion?: Said<PicoUsd>;
  }>;
  readonly maxLatencyMs?: Said<number>;
  readonly category?: Said<Category>;
}

/** Collects every problem of an input, not only the first. */
export type Report = (path: readonly (string | number)[], message: string) => void;
