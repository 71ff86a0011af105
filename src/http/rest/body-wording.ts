import type { z } from 'zod';
import { formatPath, type RestIssue, type RestPath } from './names.ts';

/** Words for a value that is of the wrong kind, where the schema has none of its own. */
export function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  const isMissing = issue.input === undefined;
  switch (issue.code) {
    case 'invalid_type':
      return isMissing ? 'is required' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return isMissing ? 'is required' : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return 'is not known here. Leave it out';
    default:
      return undefined;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

export function issuesOf(error: z.ZodError): readonly RestIssue[] {
  return error.issues.flatMap((issue) => {
    const path = pathOf(issue.path);
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    return paths.map((at) => ({ param: formatPath(at), message: issue.message }));
  });
}

function pathOf(path: readonly PropertyKey[]): RestPath {
  return path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment));
}
