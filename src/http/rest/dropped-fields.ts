import { formatPath, type RestPath } from './names.ts';

/** How many are named in one answer: their names are the caller's own. */
const NAMED_MAX = 20;

/** One warning for each field inside of a body's known fields that nothing here reads, such as `messages[].name`. */
export function droppedFieldWarnings(body: unknown, read: unknown): readonly string[] {
  const dropped = new Set<string>();
  collect({ body, read, path: [] }, dropped);
  const named = [...dropped].slice(0, NAMED_MAX).map((name) => `${name} was not sent: Switchyard does not pass it on.`);
  const more = dropped.size - named.length;
  return more > 0 ? [...named, `${more} more fields were not sent.`] : named;
}

/** Compares a body with what was read of it: what is only in the body was dropped. Places in lists are not told apart. */
function collect(
  { body, read, path }: { readonly body: unknown; readonly read: unknown; readonly path: RestPath },
  dropped: Set<string>,
): void {
  // What is handed on as it is has lost nothing.
  if (body === read) return;
  if (Array.isArray(body) && Array.isArray(read)) {
    for (const [index, item] of body.entries())
      collect({ body: item, read: read[index], path: [...path, ''] }, dropped);
  } else if (isFields(body) && isFields(read)) {
    for (const [name, value] of Object.entries(body)) {
      const at = [...path, name];
      if (Object.hasOwn(read, name)) collect({ body: value, read: read[name], path: at }, dropped);
      else if (value !== null) dropped.add(formatPath(at).replaceAll('..', '[].'));
    }
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
