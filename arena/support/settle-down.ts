import { setTimeout as sleep } from 'node:timers/promises';
import { heldOf } from './books.ts';
import type { DatabaseClock } from './database-clock.ts';
import { type Reconciled, reconcile } from './reconcile.ts';
import type { Scene } from './scene.ts';

/** What is left when everything that was under way has come to its end. */
export interface SettledDown {
  readonly books: Reconciled;
  readonly held: bigint;
  readonly holds: number;
}

/** What replicas keep in their journals is in PostgreSQL after this long. */
const DRAIN_MS_MAX = 20_000;
/** Reapers look every few seconds. */
const REAP_MS_MAX = 30_000;
const LOOK_EVERY_MS = 20;
/** No attempt takes as long, and no hold outlives its attempt by as much. */
const LONGER_THAN_ANY_HOLD_MS = 30 * 60_000;

/** Waits until replicas have brought home what they answered, lets every open hold become due, and waits for the reaper. */
export async function settleDown(scene: Scene, clock: DatabaseClock): Promise<SettledDown> {
  const { sql } = scene.database;
  await reconcileAtRest(scene);
  await clock.advance(LONGER_THAN_ANY_HOLD_MS);
  await until(REAP_MS_MAX, async () => (await heldOf(sql)).holds === 0);
  return { books: await reconcile(scene.witnesses()), ...(await heldOf(sql)) };
}

/** The verdict on everything so far, when replicas have had the time to tell PostgreSQL what they answered. */
export async function reconcileAtRest(scene: Scene): Promise<Reconciled> {
  let books = await reconcile(scene.witnesses());
  await until(DRAIN_MS_MAX, async () => {
    books = await reconcile(scene.witnesses());
    return books.rowsLost === 0 && books.settlesLost === 0;
  });
  return books;
}

/**
 * Waits until replicas have told PostgreSQL how everything ended that was under way: they answer when it is safe in their journals,
 * a moment before. Throws when that does not come about.
 */
export async function broughtHome(scene: Pick<Scene, 'database'>): Promise<void> {
  const isHome = await until(DRAIN_MS_MAX, async () => (await heldOf(scene.database.sql)).holds === 0);
  if (!isHome) throw new Error(`holds are still open after ${DRAIN_MS_MAX / 1_000} s, although nothing is under way`);
}

/** Looks again and again, for a bounded time. What is still not so then shows in what is reported. */
export async function until(limitMs: number, look: () => Promise<boolean>): Promise<boolean> {
  const endsAtMs = performance.now() + limitMs;
  while (!(await look())) {
    if (performance.now() > endsAtMs) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}
