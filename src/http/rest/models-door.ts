import type { IncomingMessage, ServerResponse } from 'node:http';
import { AUTO, isKnownModel } from '../../core/candidates.ts';
import type { Registry } from '../../core/registry.ts';
import { pathOf, sendFault, sendJson, sendMethodNotAllowed } from '../answer.ts';
import { REST_FORM } from './rest-error.ts';

export const MODELS_PATH = '/v1/models';

/** Who owns the choice among all models. */
const OURSELVES = 'switchyard';

/** `GET /v1/models` and `GET /v1/models/{id}`: what `model` may say. */
export async function answerModels(
  request: IncomingMessage,
  response: ServerResponse,
  { registry }: { readonly registry: Registry },
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendMethodNotAllowed(response, 'GET, HEAD', REST_FORM);
  }
  const path = pathOf(request);
  if (path === MODELS_PATH) return sendJson(response, 200, { object: 'list', data: listOf(registry) });
  const id = decoded(path.slice(MODELS_PATH.length + 1));
  const owner = ownerOf(registry, id);
  if (owner !== null) return sendJson(response, 200, modelOf(id, owner));
  const message = `No model answers to "${id.slice(0, 200)}"; GET ${MODELS_PATH} lists them.`;
  sendFault(response, { status: 404, code: 'NOT_FOUND', message }, REST_FORM);
}

/** `auto`, and every exact name once, in the registry's order. */
function listOf(registry: Registry) {
  const names = new Set(registry.providers.flatMap((provider) => provider.models.map((model) => model.name)));
  return [AUTO, ...names].map((name) => modelOf(name, ownerOf(registry, name) ?? OURSELVES));
}

/** The first provider with a model of this name, alias or `provider/model`. Null when there is none. */
function ownerOf(registry: Registry, name: string): string | null {
  if (name === AUTO) return OURSELVES;
  const owner = registry.providers.find((provider) => isKnownModel({ ...registry, providers: [provider] }, name));
  return owner?.key ?? null;
}

function modelOf(id: string, owner: string) {
  // Nobody says since when a model is there, and clients want a number.
  return { id, object: 'model', created: 0, owned_by: owner };
}

/** What is not encoded well is no name of ours either. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
