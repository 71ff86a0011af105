import { readFile, stat } from 'node:fs/promises';
import { type ParsedPersisted, parsePersisted } from '../graphql/persisted-documents.ts';
import { readFaultMessage } from '../registry/read.ts';
import { sha256 } from './system.ts';

const FILE_BYTES_MAX = 10_000_000;

/** Reads the operator's file of documents. One that cannot be read is a fault like any other; each names the file. */
export async function readPersisted(path: string | null): Promise<ParsedPersisted> {
  if (path === null) return { kind: 'valid', texts: new Map() };
  const read = await readFrom(path);
  return read.kind === 'valid' ? read : { ...read, faults: read.faults.map((fault) => `${path} ${fault}`) };
}

async function readFrom(path: string): Promise<ParsedPersisted> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX)
      return {
        kind: 'invalid',
        faults: [`has ${size} bytes, and ${FILE_BYTES_MAX} is the limit: is it the right file?`],
      };
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    return parsePersisted(JSON.parse(text), sha256);
  } catch (error) {
    const isOther = error instanceof SyntaxError;
    return { kind: 'invalid', faults: [isOther ? `is not JSON: ${error.message}` : readFaultMessage(error)] };
  }
}
