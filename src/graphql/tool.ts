import type { ToolCall } from '../core/message.ts';
import { builder } from './builder.ts';

export const ToolCallRef = builder.objectRef<ToolCall>('ToolCall').implement({
  description: 'A call the model wants made.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The call's id, to be answered by a TOOL message." }),
    name: t.exposeString('name', { description: "The function's name." }),
    arguments: t.exposeString('arguments', {
      description: 'The arguments as the model wrote them: usually JSON, not guaranteed.',
    }),
  }),
});

export const ToolCallInput = builder.inputType('ToolCallInput', {
  description: 'A tool call made earlier by the assistant.',
  fields: (t) => ({
    id: t.id({ description: "The call's id, as the model gave it.", required: true }),
    name: t.string({ description: "The function's name.", required: true }),
    arguments: t.string({
      description: 'The arguments as the model wrote them: usually JSON, not guaranteed.',
      required: true,
    }),
  }),
});

export const ToolInput = builder.inputType('ToolInput', {
  description: 'A function the model may call.',
  fields: (t) => ({
    name: t.string({ description: "The function's name.", required: true }),
    description: t.string({ description: 'What the function does, for the model.' }),
    parameters: t.field({ type: 'JSON', description: 'JSON Schema of the arguments.' }),
    strict: t.boolean({ description: 'Ask the provider to follow the schema exactly, where supported.' }),
  }),
});

const ToolChoiceModeEnum = builder.enumType('ToolChoiceMode', {
  description: 'General rules for calling tools.',
  values: {
    AUTO: { value: 'auto', description: 'The model decides.' },
    NONE: { value: 'none', description: 'No tool may be called.' },
    REQUIRED: { value: 'required', description: 'Some tool must be called.' },
  },
});

export const ToolChoiceInput = builder.inputType('ToolChoiceInput', {
  description: 'Whether a tool must be called.',
  isOneOf: true,
  fields: (t) => ({
    mode: t.field({ type: ToolChoiceModeEnum, description: 'A general rule.' }),
    function: t.string({ description: 'Force this function.' }),
  }),
});

const JsonSchemaFormatInput = builder.inputType('JsonSchemaFormatInput', {
  description: 'A named JSON Schema.',
  fields: (t) => ({
    name: t.string({ description: 'Name shown to the model.', required: true }),
    schema: t.field({ type: 'JSON', description: 'The schema.', required: true }),
    strict: t.boolean({ description: 'Follow the schema exactly.', defaultValue: true }),
  }),
});

export const ResponseFormatInput = builder.inputType('ResponseFormatInput', {
  description: 'The wanted shape of the answer.',
  isOneOf: true,
  fields: (t) => ({
    jsonObject: t.boolean({ description: 'Any valid JSON object.' }),
    jsonSchema: t.field({ type: JsonSchemaFormatInput, description: 'JSON that follows a schema.' }),
  }),
});
