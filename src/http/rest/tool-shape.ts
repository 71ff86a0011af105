import { z } from 'zod';
import type { RawChat } from '../../core/raw-chat.ts';
import { TOOL_MODES } from '../../core/tool.ts';

const TOOL = z.object({
  type: z.literal('function', { error: 'must be function: there are no other tools' }),
  function: z.object({
    name: z.string(),
    description: z.string().nullish(),
    parameters: z.unknown().optional(),
    strict: z.boolean().nullish(),
  }),
});

const TOOL_CHOICE = z.union(
  [z.enum(TOOL_MODES), z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) })],
  { error: 'must be auto, none, required, or {"type": "function", "function": {"name": …}}' },
);

const RESPONSE_FORMAT = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({
        name: z.string(),
        description: z.string().nullish(),
        schema: z.unknown().optional(),
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  {
    error: (issue) => (issue.code === 'invalid_union' ? 'must be of type text, json_object or json_schema' : undefined),
  },
);

/** What a model may call, and which form its answer has. */
export const TOOL_FIELDS = {
  tools: z.array(TOOL).nullish(),
  tool_choice: TOOL_CHOICE.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: RESPONSE_FORMAT.nullish(),
};

const FIELDS = z.object(TOOL_FIELDS);

type ToolFields = z.infer<typeof FIELDS>;

/** The same as the core calls it. */
export function rawToolFieldsOf(
  body: ToolFields,
): Pick<RawChat, 'tools' | 'toolChoice' | 'parallelToolCalls' | 'responseFormat'> {
  return {
    tools: body.tools?.map((tool) => tool.function),
    toolChoice: toolChoiceOf(body),
    parallelToolCalls: body.parallel_tool_calls,
    responseFormat: responseFormatOf(body.response_format),
  };
}

function toolChoiceOf({ tools, tool_choice: choice }: ToolFields): RawChat['toolChoice'] {
  if (choice === null || choice === undefined) return null;
  // Programs that have tools at times say so always. Without any, these two ask for nothing.
  if ((choice === 'auto' || choice === 'none') && (tools ?? []).length === 0) return null;
  return typeof choice === 'string' ? { mode: choice } : { function: choice.function.name };
}

function responseFormatOf(format: ToolFields['response_format']): RawChat['responseFormat'] {
  if (format === null || format === undefined) return null;
  switch (format.type) {
    case 'text':
      return null;
    case 'json_object':
      return { jsonObject: true };
    case 'json_schema': {
      // Strict only where it is said: so it is with OpenAI.
      return { jsonSchema: { ...format.json_schema, strict: format.json_schema.strict ?? false } };
    }
    default:
      return format satisfies never;
  }
}
