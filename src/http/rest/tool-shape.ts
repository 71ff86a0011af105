import { z } from 'zod';

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
  [
    z.enum(['auto', 'none', 'required']),
    z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
  ],
  { error: 'must be auto, none, required, or {"type": "function", "function": {"name": …}}' },
);

const RESPONSE_FORMAT = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({ name: z.string(), schema: z.unknown().optional(), strict: z.boolean().nullish() }),
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

/** The same as the core calls it. What was not said is left out. */
export function rawToolFieldsOf(body: z.infer<typeof FIELDS>) {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel, response_format: format } = body;
  const given = <Value>(value: Value | null | undefined) => value !== null && value !== undefined;
  return {
    ...(given(tools) ? { tools: tools?.map((tool) => tool.function) } : {}),
    ...(given(choice) ? { toolChoice: toolChoiceOf(choice) } : {}),
    ...(given(parallel) ? { parallelToolCalls: parallel } : {}),
    ...(given(format) && format?.type !== 'text' ? { responseFormat: responseFormatOf(format) } : {}),
  };
}

function toolChoiceOf(choice: z.infer<typeof FIELDS>['tool_choice']) {
  return typeof choice === 'string' ? { mode: choice } : { function: choice?.function.name };
}

function responseFormatOf(format: z.infer<typeof FIELDS>['response_format']) {
  return format?.type === 'json_schema' ? { jsonSchema: format.json_schema } : { jsonObject: true };
}
