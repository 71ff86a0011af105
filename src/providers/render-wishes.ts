import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider';
import type { Prompt } from '../core/prompt.ts';
import type { ModelSpec, Parameter } from '../core/registry.ts';
import { isJsonObject, type JsonObject, type ResponseFormat, type Tool, type ToolChoice } from '../core/tool.ts';
import { usedParametersOf } from '../core/used-parameters.ts';

/** What a caller wishes of an answer beside the conversation, in the words of the provider packages. */
export type Wishes = Pick<
  LanguageModelV4CallOptions,
  | 'temperature'
  | 'topP'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'seed'
  | 'stopSequences'
  | 'tools'
  | 'toolChoice'
  | 'responseFormat'
>;

export interface RenderedWishes {
  readonly wishes: Wishes;
  /** The same wishes without those that the model does not take. */
  readonly asked: Prompt;
  /** One for each wish that was left out. */
  readonly warnings: readonly string[];
}

/** Renders everything but the conversation, the output limit, and what each vendor has words of its own for. */
export function renderWishes(prompt: Prompt, model: ModelSpec): RenderedWishes {
  const untaken = usedParametersOf(prompt).filter((parameter) => model.unsupportedParameters.includes(parameter));
  const asked = untaken.reduce(without, prompt);
  return {
    asked,
    wishes: { ...samplingOf(asked), ...toolsOf(asked), ...formatOf(asked.responseFormat) },
    warnings: untaken.map((parameter) => `${parameter} was not sent: ${model.name} does not support it.`),
  };
}

function without(prompt: Prompt, parameter: Parameter): Prompt {
  switch (parameter) {
    case 'stop':
      return { ...prompt, stop: [] };
    case 'parallelToolCalls':
      return { ...prompt, tools: prompt.tools === null ? null : { ...prompt.tools, isParallel: null } };
    case 'jsonObject':
      return { ...prompt, responseFormat: null };
    case 'temperature':
    case 'topP':
    case 'presencePenalty':
    case 'frequencyPenalty':
    case 'seed':
    case 'reasoningEffort':
      return { ...prompt, [parameter]: null };
    default:
      return parameter satisfies never;
  }
}

function samplingOf(prompt: Prompt): Wishes {
  return {
    ...(prompt.temperature !== null && { temperature: prompt.temperature }),
    ...(prompt.topP !== null && { topP: prompt.topP }),
    ...(prompt.presencePenalty !== null && { presencePenalty: prompt.presencePenalty }),
    ...(prompt.frequencyPenalty !== null && { frequencyPenalty: prompt.frequencyPenalty }),
    ...(prompt.seed !== null && { seed: prompt.seed }),
    ...(prompt.stop.length > 0 && { stopSequences: [...prompt.stop] }),
  };
}

function toolsOf({ tools }: Prompt): Wishes {
  if (tools === null) return {};
  return {
    tools: tools.tools.map(renderTool),
    ...(tools.choice !== null && { toolChoice: renderChoice(tools.choice) }),
  };
}

function renderTool({ name, description, parameters, isStrict }: Tool): LanguageModelV4FunctionTool {
  return {
    type: 'function',
    name,
    ...(description !== null && { description }),
    inputSchema: schemaOf(parameters ?? { type: 'object', properties: {} }),
    ...(isStrict !== null && { strict: isStrict }),
  };
}

function renderChoice(choice: ToolChoice): NonNullable<Wishes['toolChoice']> {
  return choice.kind === 'function' ? { type: 'tool', toolName: choice.name } : { type: choice.kind };
}

function formatOf(format: ResponseFormat | null): Wishes {
  if (format === null) return {};
  if (format.kind === 'json') return { responseFormat: { type: 'json' } };
  return { responseFormat: { type: 'json', name: format.name, schema: schemaOf(format.schema) } };
}

type Schema = LanguageModelV4FunctionTool['inputSchema'];

/** The packages pass a schema on as it is; whether it is a good one is for the provider to say. */
function schemaOf(schema: JsonObject): Schema {
  if (isSchema(schema)) return schema;
  throw new TypeError('a schema that is no object got past the door');
}

function isSchema(value: unknown): value is Schema {
  return isJsonObject(value);
}
