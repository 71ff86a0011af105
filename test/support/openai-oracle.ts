import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { OPENAI_ANSWERS } from './openai-answers.ts';

/** An OpenAPI document, as far as it is read. */
interface ApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** What is wrong with it: where, and why. Empty when nothing is. */
type Faults = (body: unknown) => readonly string[];

/** Says whether a body is one that OpenAI's API could have sent. Fields that it does not know are no fault. */
interface OpenAiOracle {
  readonly completionFaults: Faults;
  readonly chunkFaults: Faults;
  readonly errorFaults: Faults;
  readonly modelListFaults: Faults;
}

/** Judges by a document of OpenAI's schemas, under the names that OpenAI gives them. */
export function makeOracle(document: ApiDocument): OpenAiOracle {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'openai', components: { schemas: mended(document.components.schemas) } });
  const faultsBy = (name: string): Faults => {
    const validate = ajv.compile({ $ref: `openai#/components/schemas/${name}` });
    return (body) => {
      validate(body);
      return (validate.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message}`);
    };
  };
  return {
    completionFaults: faultsBy('CreateChatCompletionResponse'),
    chunkFaults: faultsBy('CreateChatCompletionStreamResponse'),
    errorFaults: faultsBy('ErrorResponse'),
    modelListFaults: faultsBy('ListModelsResponse'),
  };
}

/**
 * What keeps OpenAI's document from being a JSON schema: `nullable` without a type and `discriminator` are words of OpenAPI alone,
 * and a list of allowed words that may be null lacks the null.
 */
function mended(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(mended);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { discriminator: _, nullable, enum: allowed, ...rest } = schema as Record<string, unknown>;
  const kept = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, mended(value)]));
  const words = Array.isArray(allowed) ? { enum: nullable === true ? [...allowed, null] : allowed } : {};
  return { ...kept, ...words, ...('type' in rest && nullable !== undefined ? { nullable } : {}) };
}

/** A copy of OpenAI's own document (`openapi.json` of github.com/openai/openai-openapi) to judge by. Unset: what we wrote down. */
const PUBLISHED = process.env.OPENAI_OPENAPI;

const ORACLE = makeOracle(PUBLISHED === undefined ? OPENAI_ANSWERS : JSON.parse(readFileSync(PUBLISHED, 'utf8')));

export const { completionFaults, chunkFaults, errorFaults, modelListFaults } = ORACLE;

/**
 * The faults of the chunk that tells of an error in the middle of a stream. It is not OpenAI's, and others agree on it: a chunk that
 * ends for the reason "error", with OpenAI's error beside its choices.
 */
export function errorChunkFaults(chunk: Readonly<Record<string, unknown>>): readonly string[] {
  const choices = Array.isArray(chunk.choices) ? chunk.choices : [];
  const isEnded = choices.length > 0 && choices.every((choice) => choice.finish_reason === 'error');
  const asOpenAi = { ...chunk, choices: choices.map((choice) => ({ ...choice, finish_reason: 'stop' })) };
  return [
    ...(isEnded ? [] : ['/choices must end for the reason "error"']),
    ...chunkFaults(asOpenAi),
    ...errorFaults({ error: chunk.error }),
  ];
}
