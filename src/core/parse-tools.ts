import { CHAT_LIMITS } from './chat-request.ts';
import type { RawChat, RawTool, Report } from './raw-chat.ts';
import {
  isJsonObject,
  isNestedTooDeep,
  isToolName,
  type JsonObject,
  type ResponseFormat,
  TOO_DEEP,
  TOOL_NAME_RULE,
  type Tool,
  type ToolUse,
} from './tool.ts';

/** The functions the model may call, and how. Null: none. */
export function parseTools(raw: RawChat, report: Report): ToolUse | null {
  const tools = raw.tools ?? [];
  if (tools.length === 0) {
    if ((raw.toolChoice ?? null) !== null) report(['toolChoice'], 'there are no `tools` to choose from');
    return null;
  }
  if (tools.length > CHAT_LIMITS.toolsMax) report(['tools'], `at most ${CHAT_LIMITS.toolsMax} are taken`);
  const names = new Set<string>();
  const parsed = tools.map((tool, index) => {
    if (!isToolName(tool.name)) report(['tools', index, 'name'], TOOL_NAME_RULE);
    if (names.has(tool.name)) report(['tools', index, 'name'], `another tool is called "${tool.name}" already`);
    names.add(tool.name);
    return parseTool(tool, index, report);
  });
  return { tools: parsed, choice: parseChoice(raw, names, report), isParallel: raw.parallelToolCalls ?? null };
}

function parseTool(raw: RawTool, index: number, report: Report): Tool {
  const parameters = raw.parameters ?? null;
  return {
    name: raw.name,
    description: raw.description ?? null,
    parameters: parameters === null ? null : parseSchema(parameters, ['tools', index, 'parameters'], report),
    isStrict: raw.strict ?? null,
  };
}

/** Null when it is none. Whether it is a good one is for the provider to say. */
function parseSchema(value: unknown, path: Parameters<Report>[0], report: Report): JsonObject | null {
  if (!isJsonObject(value)) report(path, 'must be a JSON Schema, such as {"type": "object", "properties": {}}');
  else if (isNestedTooDeep(value)) report(path, TOO_DEEP);
  else return value;
  return null;
}

function parseChoice(raw: RawChat, names: ReadonlySet<string>, report: Report): ToolUse['choice'] {
  const choice = raw.toolChoice ?? null;
  if (choice === null) return null;
  const name = choice.function ?? null;
  if (name === null) return { kind: choice.mode ?? 'auto' };
  if (!names.has(name)) report(['toolChoice', 'function'], `none of the \`tools\` is called "${name}"`);
  return { kind: 'function', name };
}

/** The wanted shape of the answer. Null: free text. */
export function parseResponseFormat(raw: RawChat, report: Report): ResponseFormat | null {
  const format = raw.responseFormat ?? null;
  if (format === null) return null;
  const wanted = format.jsonSchema ?? null;
  if (wanted === null) {
    if (format.jsonObject !== true)
      report(['responseFormat', 'jsonObject'], 'must be true; leave it out for free text');
    return { kind: 'json' };
  }
  const { name, description, strict } = wanted;
  if (!isToolName(name)) report(['responseFormat', 'jsonSchema', 'name'], TOOL_NAME_RULE);
  const schema = parseSchema(wanted.schema, ['responseFormat', 'jsonSchema', 'schema'], report);
  if (schema === null) return null;
  return { kind: 'jsonSchema', name, description: description ?? null, schema, isStrict: strict ?? true };
}

/** They are sent with every attempt and billed as input. */
export function checkSchemas(
  of: { readonly tools: ToolUse | null; readonly format: ResponseFormat | null },
  report: Report,
): void {
  const chars = JSON.stringify(of).length;
  if (chars <= CHAT_LIMITS.schemasCharsMax) return;
  const path = of.tools === null ? 'responseFormat' : 'tools';
  report([path], `has ${chars} characters as JSON; at most ${CHAT_LIMITS.schemasCharsMax} are taken`);
}
