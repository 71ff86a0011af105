import { CHAT_LIMITS } from './chat-request.ts';
import type { RawChat, RawTool, Report } from './raw-chat.ts';
import { isJsonObject, isToolName, type ResponseFormat, TOOL_NAME_RULE, type Tool, type ToolUse } from './tool.ts';

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
  if (parameters !== null && !isJsonObject(parameters)) {
    report(['tools', index, 'parameters'], 'must be a JSON Schema, such as {"type": "object", "properties": {}}');
  }
  return {
    name: raw.name,
    description: raw.description ?? null,
    parameters: isJsonObject(parameters) ? parameters : null,
    isStrict: raw.strict ?? null,
  };
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
  const { name, schema } = wanted;
  if (!isToolName(name)) report(['responseFormat', 'jsonSchema', 'name'], TOOL_NAME_RULE);
  if (isJsonObject(schema)) return { kind: 'jsonSchema', name, schema, isStrict: wanted.strict ?? true };
  report(['responseFormat', 'jsonSchema', 'schema'], 'must be a JSON Schema, such as {"type": "object"}');
  return null;
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
