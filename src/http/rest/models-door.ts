import type { IncomingMessage, ServerResponse } from 'node:http';
import { AUTO, isKnownModel } from '../../core/candidates.ts';
import type { Registry } from '../../core/registry.ts';
import { pathOf, sendFault, sendJson, sendMethodNotAllowed } from '../answer.ts';
import { REST_FORM } from './rest-error.ts';

export const MODELS_PATH = '/v1/models';

/** Who owns the choice among all models. */
const OURSELVES = 'switchyard';

/** `GET /v1/models` and `GET /v1/models/{id}`: what `model` may say. */
export function answerModels(
  request: IncomingMessage,
  response: ServerResponse,
  { registry }: { readonly registry: Registry },
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendMethodNotAllowed(response, 'GET, HEAD', REST_FORM);
    return;
  }
  const path = pathOf(request);
  const id = decoded(path.slice(MODELS_PATH.length + 1));
  const found = path === MODELS_PATH ? { object: 'list', data: listOf(registry) } : modelCalled(registry, id);
  if (found !== null) sendJson(response, 200, found);
  else {
    const message = `No model answers to "${id.slice(0, 200)}"; GET ${MODELS_PATH} lists them.`;
    sendFault(response, { status: 404, code: 'NOT_FOUND', message }, REST_FORM);
  }
}

/** `auto`, and every exact name once, in the registry's order. */
function listOf(registry: Registry) {
  const names = new Set(registry.providers.flatMap((provider) => provider.models.map((model) => model.name)));
  return [AUTO, ...names].map((name) => modelCalled(registry, name));
}

/** A model by its name, an alias or `provider/model`; its owner is the first provider that has it. Null when there is none. */
function modelCalled(registry: Registry, name: string) {
  if (name === AUTO) return modelOf(name, OURSELVES);
  const owner = registry.providers.find((provider) => isKnownModel({ ...registry, providers: [provider] }, name));
  return owner === undefined ? null : modelOf(name, owner.key);
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
