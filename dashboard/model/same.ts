/** Whether two plain values say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const entries = Object.entries(one);
  const others = new Map(Object.entries(other));
  return entries.length === others.size && entries.every(([name, value]) => isSame(value, others.get(name)));
}

/** The old value if the fresh one says the same, so that nothing is drawn again that did not change. */
export function kept<Value>(old: Value, fresh: Value): Value {
  return isSame(old, fresh) ? old : fresh;
}
