import { parseArgs } from 'node:util';
import { type EpochMs, later } from '../core/time.ts';
import { parseDateTime } from '../graphql/date-time.ts';
import { parseDuration } from '../graphql/duration.ts';
import { didYouMean } from '../registry/wording.ts';
import { wordFault } from './command.ts';

export const KEYS_HELP = `Makes, lists, replaces and ends API keys of a running gateway.

  switchyard keys list                    the newest keys, up to 200
  switchyard keys create --name NAME      a new key; its secret is shown once
      --scopes chat,requests:read         what it may do; without it: chat
      --user USER                         whose money it spends; without it: its own
      --team TEAM                         the team that pays along
      --expires 90d                       when it ends: a span from now, or a moment such as 2027-01-31T00:00:00Z
      --rpm N  --tpm N  --concurrency N   requests and tokens a minute, requests at once
  switchyard keys rotate ID               the next key in place of this one; its secret is shown once
      --overlap 24h                       how long the old one works on; 0 ends it at once
  switchyard keys revoke ID               ends a key now

  --json   the whole answer for programs

The gateway is at SWITCHYARD_URL, or on this machine at PORT. The command comes with SWITCHYARD_KEY, or with ADMIN_KEY;
elsewhere only over https:// and with SWITCHYARD_KEY. All of them may stand in .env. ID is what the list shows. When the output goes to a file or another program, it is the secret alone.
Ends with 0 when it is done, 1 when the gateway refuses or cannot be reached, 2 when it was called wrongly, 78 when those settings
cannot be right.
`;

export type KeysCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly message: string }
  | { readonly kind: 'list'; readonly isJson: boolean }
  | { readonly kind: 'create'; readonly isJson: boolean; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: 'rotate'; readonly isJson: boolean; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: 'revoke'; readonly isJson: boolean; readonly input: Readonly<Record<string, unknown>> };

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  name: { type: 'string' },
  scopes: { type: 'string' },
  user: { type: 'string' },
  team: { type: 'string' },
  expires: { type: 'string' },
  rpm: { type: 'string' },
  tpm: { type: 'string' },
  concurrency: { type: 'string' },
  overlap: { type: 'string' },
} as const;

type Options = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** The options that go with each word; `json` goes with all. */
const GOING_WITH = {
  list: [],
  create: ['name', 'scopes', 'user', 'team', 'expires', 'rpm', 'tpm', 'concurrency'],
  rotate: ['overlap'],
  revoke: [],
} as const;

/** What the words of a command line ask for. What the gateway can judge is left to it. */
export function parseKeysCommand(words: readonly string[], nowMs: EpochMs): KeysCommand {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
    return values.help === true ? { kind: 'help' } : commandOf(positionals, values, nowMs);
  } catch (error) {
    return usage(wordFault(error, Object.keys(OPTIONS)));
  }
}

function commandOf([word, id, ...more]: readonly string[], values: Options, nowMs: EpochMs): KeysCommand {
  const kind = word === 'list' || word === 'create' || word === 'rotate' || word === 'revoke' ? word : null;
  if (kind === null) return usage(word === undefined ? 'Say what to do.' : strangeWord(word));
  const allowed: readonly string[] = [...GOING_WITH[kind], 'json'];
  const strange = Object.keys(values).find((name) => !allowed.includes(name));
  if (strange !== undefined) return usage(`--${strange} does not go with ${kind}.`);
  const takesId = kind === 'rotate' || kind === 'revoke';
  if (more.length > 0 || (id !== undefined && !takesId)) return usage(`${kind} takes no "${more[0] ?? id}".`);
  if (id === undefined && takesId) return usage(`Say which key to ${kind}: \`list\` shows the ids.`);
  const isJson = values.json === true;
  switch (kind) {
    case 'list':
      return { kind, isJson };
    case 'create':
      return createCommand(values, isJson, nowMs);
    case 'rotate':
      return { kind, isJson, input: { apiKeyId: id, ...overlapOf(values.overlap) } };
    case 'revoke':
      return { kind, isJson, input: { apiKeyId: id } };
    default:
      return kind satisfies never;
  }
}

function strangeWord(word: string): string {
  return `There is no command "${word}"${didYouMean(word, Object.keys(GOING_WITH)) || '.'}`;
}

function createCommand(values: Options, isJson: boolean, nowMs: EpochMs): KeysCommand {
  if (values.name === undefined) return usage('A key needs a --name by which people know it.');
  const expiresAt = values.expires === undefined ? null : instantOf(values.expires, nowMs);
  if (expiresAt === 'neither')
    return usage('--expires is a span such as 90d, or a moment such as 2027-01-31T00:00:00Z.');
  const limits = { requestsPerMinute: values.rpm, tokensPerMinute: values.tpm, concurrency: values.concurrency };
  const wrong = Object.values(limits).find((text) => text !== undefined && !/^\d{1,9}$/.test(text));
  if (wrong !== undefined) return usage(`A limit is a whole number, not "${wrong}".`);
  const input = {
    name: values.name,
    ...(values.scopes === undefined ? {} : { scopes: values.scopes.split(',').map((scope) => scope.trim()) }),
    userId: values.user ?? null,
    teamId: values.team ?? null,
    expiresAt,
    ...Object.fromEntries(
      Object.entries(limits).map(([name, text]) => [name, text === undefined ? null : Number(text)]),
    ),
  };
  return { kind: 'create', isJson, input };
}

function instantOf(text: string, nowMs: EpochMs): string | 'neither' {
  const span = parseDuration(text);
  const instant = span.kind === 'parsed' ? later(nowMs, span.ms) : parseDateTime(text);
  return instant === null ? 'neither' : new Date(instant).toISOString();
}

/** Left out, the gateway has its default. */
function overlapOf(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  return { overlap: /^0[smhd]?$/.test(text) ? null : text };
}

function usage(message: string): KeysCommand {
  return { kind: 'usage', message };
}
