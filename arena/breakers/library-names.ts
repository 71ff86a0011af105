/** Breakers of others, to which the same commands are given. */
export const LIBRARIES = ['cockatiel', 'opossum'] as const;
export type Library = (typeof LIBRARIES)[number];
