const STEP_MS = 50;

/** Looks again and again until it is so, for a bounded time: only for what real processes do on their own. */
export async function eventually(look: () => Promise<boolean> | boolean, limitMs = 20_000): Promise<void> {
  const endsAt = performance.now() + limitMs;
  while (!(await look())) {
    if (performance.now() > endsAt) throw new Error(`not so within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
