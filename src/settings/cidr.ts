import { isIP } from 'node:net';

/** A block of addresses. */
export interface Cidr {
  readonly network: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Most blocks in one setting. */
export const CIDRS_MAX = 64;

/** Reads blocks with commas between them. Null when one of them is none, or they are more than `CIDRS_MAX`. */
export function parseCidrs(text: string): readonly Cidr[] | null {
  const blocks = text.split(',').map((block) => parseCidr(block.trim()));
  const cidrs = blocks.filter((block) => block !== null);
  return cidrs.length === blocks.length && cidrs.length <= CIDRS_MAX ? cidrs : null;
}

function parseCidr(text: string): Cidr | null {
  const [, network, digits] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const version = network === undefined ? 0 : isIP(network);
  const prefix = Number(digits);
  if (network === undefined || version === 0 || prefix > (version === 4 ? 32 : 128)) return null;
  return { network, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}
