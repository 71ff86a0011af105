/** The value at a path of keys and indexes inside parsed JSON. Undefined when there is no such place. */
export function fieldAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(own, value);
}

function own(value: unknown, key: string | number): unknown {
  const hasKey = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return hasKey ? Reflect.get(value, key) : undefined;
}

/** Parses JSON. Undefined, which JSON cannot express, when the text is anything else. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
