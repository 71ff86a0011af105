import type { OutagePlan } from './outage.ts';
import type { Scene } from './scene.ts';
import { until } from './settle-down.ts';

const RICH = 20;
const POOR = 'poor';
/** Its turns in a round in which everybody else has one. */
const POOR_TURNS = 8;
/** A slice, a twentieth of what is left of it on each replica, pays for a few chats and not for the whole outage. */
const POOR_CAP = 40_000_000_000n;
const SLICE_USD = '0.04';
const RESERVE_MS_MAX = 20_000;

/**
 * Who was active has money reserved, and is answered meanwhile. One user sends a lot and has little, so that the slices are soon
 * used up: there it would show if replicas that cannot see one another spent more than there is.
 */
export const SLICING: OutagePlan = {
  env: { OUTAGE_SLICE_USD: SLICE_USD },
  // A replica reserves a twentieth of each one's rate limit: with so many, more than an outage takes.
  providers: ['steady', 'other', 'third', 'fourth'],
  userOf: (turn) => {
    const place = turn % (RICH + POOR_TURNS);
    return place < RICH ? `rich-${place}` : POOR;
  },
  isServed: (userId) => userId !== POOR,
  async prepare({ sql }) {
    await sql`insert into switchyard.account (key, cap, period_started_at)
      values (${`user:${POOR}`}, ${POOR_CAP.toString()}, switchyard.clock())`;
  },
  async beforehand(scene) {
    const wanted = (RICH + 1) * scene.replicas.length;
    if (await until(RESERVE_MS_MAX, async () => (await slicesOf(scene)) >= wanted)) return;
    throw new Error(`replicas have reserved ${await slicesOf(scene)} of ${wanted} slices, so nothing can be shown`);
  },
  async afterwards(scene) {
    // What is reserved goes back when a replica leaves, and is to be neither held nor posted then.
    const codes = await Promise.all(scene.replicas.map((replica) => replica.stop()));
    const left = await slicesOf(scene);
    return [
      ...codes.flatMap((code) => (code === 0 ? [] : [`a replica ended with ${code}`])),
      ...(left === 0 ? [] : [`${left} slices are left when all replicas have gone`]),
    ];
  },
};

async function slicesOf({ database }: Scene): Promise<number> {
  const [row] = await database.sql`
    select count(*)::int as slices from switchyard.hold where provider = '' and state = 'held'`;
  return Number(row?.slices);
}
