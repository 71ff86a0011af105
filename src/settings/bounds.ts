// How a value is read, beside the words that complete "must be …".

export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }) {
  return {
    bounds: `a whole number from ${min} to ${max}`,
    parse: (text: string) => inRange(/^\d{1,15}$/.test(text) ? Number(text) : null, { min, max }),
  };
}

export function decimalNumber({ min, max }: { readonly min: number; readonly max: number }) {
  return {
    bounds: `a decimal number from ${min} to ${max}`,
    parse: (text: string) => inRange(/^\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : null, { min, max }),
  };
}

export function inRange(
  value: number | null,
  { min, max }: { readonly min: number; readonly max: number },
): number | null {
  return value !== null && value >= min && value <= max ? value : null;
}

export function oneOf<const W extends string>(words: readonly W[]) {
  return {
    bounds: words.map((word) => `\`${word}\``).join(' or '),
    parse: (text: string) => words.find((word) => word === text) ?? null,
  };
}

export function path(what: string) {
  return { bounds: `the path of ${what}`, parse: (text: string) => (text.includes('\0') ? null : text) };
}
