import type { OutagePlan } from './outage.ts';
import type { Scene } from './scene.ts';
import { until } from './settle-down.ts';

const RICH = 20;
const POOR = 4;
/** Their slices, a twentieth of what is left of this on each replica, pay for a few chats and not for the whole outage. */
const POOR_CAP = 40_000_000_000n;
const SLICE_USD = '0.04';
const RESERVE_MS_MAX = 20_000;

/**
 * Who was active has money reserved, and is answered meanwhile. A few have so little left that their slices are soon used up: by
 * them it would show if replicas that cannot see one another spent more than there is.
 */
export const SLICING: OutagePlan = {
  env: { OUTAGE_SLICE_USD: SLICE_USD },
  // A replica reserves a twentieth of each one's rate limit: with so many, more than an outage takes.
  providers: ['steady', 'other', 'third', 'fourth'],
  userOf: (turn) => {
    const place = turn % (RICH + POOR);
    return place < RICH ? `rich-${place}` : `poor-${place - RICH}`;
  },
  isServed: (userId) => userId.startsWith('rich-'),
  async prepare({ sql }) {
    for (let place = 0; place < POOR; place += 1) {
      await sql`insert into switchyard.account (key, cap, period_started_at)
        values (${`user:poor-${place}`}, ${POOR_CAP.toString()}, switchyard.clock())`;
    }
  },
  async beforehand(scene) {
    const wanted = (RICH + POOR) * scene.replicas.length;
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
