import { readSetting } from './settings/setting.ts';
import { apiKey, baseUrl, SETTINGS } from './settings.ts';

/** What the commands that talk to a running gateway read from the environment, beside its own `PORT` and `ADMIN_KEY`. */
export const CLIENT_SETTINGS = {
  url: baseUrl(
    'SWITCHYARD_URL',
    'Where the gateway is; away from this machine over https:// only. Unset: on this machine, at `PORT`.',
  ),
  key: apiKey('SWITCHYARD_KEY', 'The API key that commands come with. Unset: `ADMIN_KEY`, on this machine only.'),
};

/** How a command reaches the gateway. Holds a secret: do not print it. */
export interface ClientConfig {
  readonly url: string;
  /** Null: it comes without a credential. */
  readonly key: string | null;
}

export type ClientConfigResult =
  | { readonly kind: 'valid'; readonly config: ClientConfig }
  | { readonly kind: 'invalid'; readonly faults: readonly string[] };

/** Reads what a command needs from the environment. The gateway's own settings need not be there, nor be right. */
export function parseClientConfig(env: Readonly<Record<string, string | undefined>>): ClientConfigResult {
  const url = readSetting(CLIENT_SETTINGS.url, env[CLIENT_SETTINGS.url.name]);
  const key = readSetting(CLIENT_SETTINGS.key, env[CLIENT_SETTINGS.key.name]);
  const adminKey = readSetting(SETTINGS.adminKey, env[SETTINGS.adminKey.name]);
  const port = readSetting(SETTINGS.port, env[SETTINGS.port.name]);
  const faults = [url, key, adminKey, port].flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0) return { kind: 'invalid', faults };
  const config = { url: url.value ?? `http://127.0.0.1:${port.value}`, key: key.value ?? adminKey.value };
  const unsafe = isHere(config.url) ? [] : faultsAway(config.url, key.value);
  return unsafe.length > 0 ? { kind: 'invalid', faults: unsafe } : { kind: 'valid', config };
}

function isHere(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

/** A mistyped address must not be sent what opens everything, nor a network anything in clear. */
function faultsAway(url: string, key: string | null): readonly string[] {
  const { protocol, host } = new URL(url);
  return [
    ...(protocol === 'https:'
      ? []
      : [`SWITCHYARD_URL must begin with https://, for ${host} is not on this machine: secrets would go in clear`]),
    ...(key === null
      ? [`SWITCHYARD_KEY must be set, for ${host} is not on this machine: ADMIN_KEY is not sent there`]
      : []),
  ];
}
