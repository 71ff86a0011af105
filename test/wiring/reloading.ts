import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Setup } from '../../src/wiring/read-setup.ts';
import { openSetupSource } from '../../src/wiring/setup-source.ts';
import { YAML } from '../support/registry-yaml.ts';

/** A folder with a registry, documents and an `.env`, and what is read of it. */
export async function makeSetupFolder(
  of: { readonly env?: string; readonly given?: Readonly<Record<string, string>> } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-setup-'));
  const at = (name: string) => join(folder, name);
  const write = (name: string, text: string) => writeFile(at(name), text);
  await write('providers.yaml', YAML);
  await write('documents.json', '{"viewer": "{ viewer { scopes } }"}');
  if (of.env !== undefined) await write('.env', of.env);
  const given = {
    STORE: 'memory',
    SWITCHYARD_CONFIG: at('providers.yaml'),
    PERSISTED_DOCUMENTS: at('documents.json'),
    ...of.given,
  };
  const source = openSetupSource(given, at('.env'));
  /** What is read now, where it has to be right. */
  const readSetup = async (): Promise<Setup> => {
    const { result } = await source.read();
    if (result.kind === 'invalid') throw new Error(JSON.stringify(result.faults));
    return result.setup;
  };
  return {
    at,
    write,
    source,
    readSetup,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
