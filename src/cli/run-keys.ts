import { decodeFields, decodeList, decodeNullable, decodeText, type Fields } from '../core/decode.ts';
import { askGateway } from './ask-gateway.ts';
import type { KeysCommand } from './keys-command.ts';
import { printTable } from './model-table.ts';
import { plainLine } from './plain-text.ts';

const KEY = `id name prefix scopes userId teamId requestsPerMinute tokensPerMinute concurrency createdAt lastUsedAt
  expiresAt revokedAt`;
const FAILED = '... on ApiError { code message } ... on InvalidInputError { issues { path message } }';

const OPERATIONS = {
  list: `{ apiKeys(first: 200) { nodes { ${KEY} } pageInfo { hasNextPage } } }`,
  create: `mutation ($input: CreateApiKeyInput!) { answer: createApiKey(input: $input) {
    ... on CreateApiKeySuccess { apiKey { ${KEY} } secret } ${FAILED} } }`,
  rotate: `mutation ($input: RotateApiKeyInput!) { answer: rotateApiKey(input: $input) {
    ... on RotateApiKeySuccess { apiKey { ${KEY} } replaced { ${KEY} } secret } ${FAILED} } }`,
  revoke: `mutation ($input: RevokeApiKeyInput!) { answer: revokeApiKey(input: $input) {
    ... on RevokeApiKeySuccess { apiKey { ${KEY} } } ... on ApiError { code message } } }`,
} as const;

type Asking = Extract<KeysCommand, { readonly isJson: boolean }>;

/** What a command prints: `output` for programs, `note` for the person beside. */
export interface Ended {
  readonly isDone: boolean;
  readonly output: string;
  readonly note: string;
}

/** Carries one command out. `isPiped`: the output goes to a program, which wants a secret alone. */
export async function runKeys(
  command: Asking,
  gateway: Parameters<typeof askGateway>[0],
  { isPiped, nowMs }: { readonly isPiped: boolean; readonly nowMs: number },
): Promise<Ended> {
  const variables = command.kind === 'list' ? {} : { input: command.input };
  const answer = await askGateway(gateway, { query: OPERATIONS[command.kind], variables });
  if (answer.kind === 'refused') return failed(`${answer.code}: ${answer.why}`);
  if (command.kind === 'list') return listed(decodeFields(answer.data.apiKeys), { isJson: command.isJson, nowMs });
  const ended = decodeFields(answer.data.answer);
  if (ended.apiKey === undefined) return failed(failureOf(ended));
  if (command.isJson) return { isDone: true, output: printJson(ended), note: '' };
  const note = noteOf(ended);
  if (ended.secret === undefined) return { isDone: true, output: note, note: '' };
  const secret = `${decodeText(ended.secret)}\n`;
  if (isPiped) return { isDone: true, output: secret, note };
  return { isDone: true, output: `${note}\n  ${secret}\nKeep it now: it is never shown again.\n`, note: '' };
}

function failed(why: string): Ended {
  return { isDone: false, output: '', note: `${why}\n` };
}

function failureOf({ code, message, issues }: Fields): string {
  const told = issues === undefined ? [] : decodeList(issues, decodeFields);
  const lines = told.map((issue) => `  ${decodeList(issue.path, decodeText).join('.')}: ${decodeText(issue.message)}`);
  return [`${decodeText(code)}: ${decodeText(message)}`, ...lines].join('\n');
}

function noteOf({ apiKey, replaced, secret }: Fields): string {
  const key = decodeFields(apiKey);
  const named = `${wordOf(key.name)} (${decodeText(key.id)})`;
  if (secret === undefined) return `${named} works no more.\n`;
  const before = replaced === undefined ? null : decodeFields(replaced);
  const overlap = before === null ? '' : `, and ${decodeText(before.id)} until ${decodeText(before.revokedAt)}`;
  return `${named} works now${overlap}.\n`;
}

function listed(
  { nodes, pageInfo }: Fields,
  { isJson, nowMs }: { readonly isJson: boolean; readonly nowMs: number },
): Ended {
  const keys = decodeList(nodes, decodeFields);
  const isMore = decodeFields(pageInfo).hasNextPage === true;
  const note = isMore ? 'There are older keys: the query `apiKeys` pages through them.\n' : '';
  if (isJson) return { isDone: true, output: printJson(keys), note };
  return {
    isDone: true,
    output:
      keys.length === 0 ? 'There are no API keys.\n' : printTable([HEADINGS, ...keys.map((key) => rowOf(key, nowMs))]),
    note,
  };
}

function printJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const HEADINGS = ['id', 'name', 'scopes', 'pays', 'last used', 'ends'];

function rowOf(key: Fields, nowMs: number): readonly string[] {
  const user = decodeNullable(key.userId, wordOf);
  const team = decodeNullable(key.teamId, wordOf);
  const revokedAt = decodeNullable(key.revokedAt, decodeText);
  const expiresAt = decodeNullable(key.expiresAt, decodeText);
  return [
    decodeText(key.id),
    wordOf(key.name),
    decodeList(key.scopes, decodeText).join(','),
    [user === null ? 'itself' : `user ${user}`, ...(team === null ? [] : [`team ${team}`])].join(', '),
    decodeNullable(key.lastUsedAt, decodeText) ?? 'never',
    revokedAt === null
      ? (expiresAt ?? 'never')
      : `${Date.parse(revokedAt) > nowMs ? 'works until' : 'revoked'} ${revokedAt}`,
  ];
}

/** People's own words: no control character of them reaches a terminal. */
function wordOf(value: unknown): string {
  return plainLine(decodeText(value));
}
