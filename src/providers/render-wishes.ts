import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider';
import { droppedExtrasOf } from '../core/extras.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Prompt } from '../core/prompt.ts';
import type { ModelSpec, Parameter, ProviderKind } from '../core/registry.ts';
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
}

/** Renders everything but the conversation, the output limit, and what each vendor has words of its own for. */
export function renderWishes(prompt: Prompt, model: ModelSpec): RenderedWishes {
  const asked = untakenOf(prompt, model).reduce(without, prompt);
  return { asked, wishes: { ...samplingOf(asked), ...toolsOf(asked), ...formatOf(asked.responseFormat) } };
}

/** One for each wish that a provider is not sent. */
export function leftOutWarnings(
  prompt: Prompt,
  { model, provider, kind }: { readonly model: ModelSpec; readonly provider: ProviderKey; readonly kind: ProviderKind },
): readonly string[] {
  return [
    ...untakenOf(prompt, model).map((parameter) => `${parameter} was not sent: ${model.name} does not support it.`),
    ...droppedExtrasOf(kind, prompt.extras).map(
      (name) => `${name} was not sent: Switchyard does not pass it on to ${provider}.`,
    ),
  ];
}

function untakenOf(prompt: Prompt, model: ModelSpec): readonly Parameter[] {
  return usedParametersOf(prompt).filter((parameter) => model.unsupportedParameters.includes(parameter));
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
  const { name, description, schema } = format;
  const described = description === null ? {} : { description };
  return { responseFormat: { type: 'json', name, schema: schemaOf(schema), ...described } };
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
