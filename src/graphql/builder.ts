import SchemaBuilder from '@pothos/core';
import type { PicoUsd } from '../core/money.ts';
import type { EpochMs } from '../core/time.ts';
import type { OperationContext } from './context.ts';

interface Kinds {
  readonly Context: OperationContext;
  readonly DefaultFieldNullability: false;
  readonly Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: EpochMs; Output: EpochMs };
    Decimal: { Input: PicoUsd; Output: PicoUsd };
    /** Milliseconds. */
    Duration: { Input: number; Output: number };
    JSON: { Input: unknown; Output: unknown };
    SafeInt: { Input: number; Output: number };
  };
}

/** Where every noun adds its types. Fields are non-null unless they say otherwise, as in the contract. */
export const builder = new SchemaBuilder<Kinds>({ defaultFieldNullability: false });

/** What the types of Pothos need to know of ours. */
export type Types = PothosSchemaTypes.ExtendDefaultTypes<Kinds>;
