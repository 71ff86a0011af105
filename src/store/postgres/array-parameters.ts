/** PostgreSQL's numbers for the arrays that we send. */
const OIDS = { text: 1009, uuid: 2951 } as const;

/**
 * The arrays that statements of ours take, told to the client beforehand. Left to itself it asks each new connection for all
 * array types there are, and a connection that is given up before that is answered ends the process: the client's own
 * question has nobody to catch its failure.
 */
export const ARRAY_TYPES = {
  fetch_types: false,
  types: { textArray: arrayType(OIDS.text), uuidArray: arrayType(OIDS.uuid) },
};

function arrayType(oid: number) {
  return { to: oid, from: [oid], serialize: arrayLiteral, parse: refuse };
}

function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** None is ever read: what is answered comes as JSON. */
function refuse(text: string): never {
  throw new TypeError(`an array is not read: ${text.slice(0, 100)}`);
}
