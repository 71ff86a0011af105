import type { RequestFilter } from '../core/analytics.ts';
import { bareApiKeyId, bareKey } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { EpochMs } from '../core/time.ts';
import { builder } from './builder.ts';
import { parseLabels, parseNames, parseUserId } from './text.ts';
import { parseWindow, TimeWindowInput } from './window.ts';
import { CategoryEnum, RequestStatusEnum } from './words.ts';

export const RequestFilterInput = builder.inputType('RequestFilter', {
  description: 'Keeps only some requests. All given conditions must hold.',
  fields: (t) => ({
    status: t.field({ type: [RequestStatusEnum], description: 'In one of these states.' }),
    providerId: t.idList({ description: 'Answered by one of these providers.' }),
    modelName: t.stringList({ description: 'Answered by one of these models.' }),
    userId: t.string({ description: 'Billed to this user.' }),
    apiKeyId: t.id({ description: 'Sent with this key.' }),
    category: t.field({ type: [CategoryEnum], description: 'Of one of these categories.' }),
    fellBack: t.boolean({ description: 'That needed a fallback, or did not.' }),
    window: t.field({ type: TimeWindowInput, description: 'In this window.' }),
    minCostUsd: t.field({ type: 'Decimal', description: 'That cost at least this.' }),
    minTotalMs: t.int({ description: 'That took at least this.' }),
    metadata: t.field({ type: 'JSON', description: 'With all of these labels.' }),
  }),
});

/** What a caller keeps. Throws what is wrong with it. */
export function parseFilter(
  raw: typeof RequestFilterInput.$inferInput | null | undefined,
  clock: { now(): EpochMs },
): RequestFilter {
  const {
    status,
    providerId,
    modelName,
    userId = null,
    apiKeyId = null,
    category,
    fellBack = null,
    window = null,
  } = raw ?? {};
  const costMin: PicoUsd | null = raw?.minCostUsd ?? null;
  return {
    status: status ?? [],
    provider: parseNames(providerId, 'providerId').map(bareKey),
    model: parseNames(modelName, 'modelName'),
    userId: userId === null ? null : parseUserId(userId),
    apiKeyId: apiKeyId === null ? null : bareApiKeyId(apiKeyId),
    category: category ?? [],
    fellBack,
    window: window === null ? null : parseWindow(window, clock),
    costMin,
    totalMsMin: raw?.minTotalMs ?? null,
    metadata: parseLabels(raw?.metadata),
  };
}
