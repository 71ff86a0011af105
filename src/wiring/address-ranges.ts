import { BlockList, isIP } from 'node:net';
import type { Cidr } from '../settings/cidr.ts';

/** Addresses that are no provider's on the internet, by the name that a message gives them. */
interface Range {
  readonly name: string;
  readonly source: string;
  readonly ipv4: readonly (readonly [network: string, prefix: number])[];
  readonly ipv6: readonly (readonly [network: string, prefix: number])[];
}

/**
 * IANA's registries of special-purpose addresses, as far as nobody serves the public there; `source` is who set them aside. For
 * IPv6 it is enough to name what lies within the global unicast addresses: everything outside of them is refused as reserved.
 */
const RANGES: readonly Range[] = [
  { name: 'unspecified', source: 'RFC 1122, RFC 4291', ipv4: [['0.0.0.0', 8]], ipv6: [['::', 128]] },
  { name: 'loopback', source: 'RFC 1122, RFC 4291', ipv4: [['127.0.0.0', 8]], ipv6: [['::1', 128]] },
  {
    name: 'private',
    source: 'RFC 1918, RFC 4193, RFC 3879',
    ipv4: [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
    ],
    ipv6: [
      ['fc00::', 7],
      ['fec0::', 10],
    ],
  },
  // Among them 169.254.169.254, where clouds hand out credentials; fd00:ec2::254 is private.
  { name: 'link-local', source: 'RFC 3927, RFC 4291', ipv4: [['169.254.0.0', 16]], ipv6: [['fe80::', 10]] },
  { name: 'carrier-grade NAT', source: 'RFC 6598', ipv4: [['100.64.0.0', 10]], ipv6: [] },
  {
    name: 'documentation',
    source: 'RFC 5737, RFC 3849, RFC 9637',
    ipv4: [
      ['192.0.2.0', 24],
      ['198.51.100.0', 24],
      ['203.0.113.0', 24],
    ],
    ipv6: [
      ['2001:db8::', 32],
      ['3fff::', 20],
    ],
  },
  { name: 'benchmarking', source: 'RFC 2544', ipv4: [['198.18.0.0', 15]], ipv6: [] },
  { name: 'broadcast', source: 'RFC 919', ipv4: [['255.255.255.255', 32]], ipv6: [] },
  { name: 'multicast', source: 'RFC 5771, RFC 4291', ipv4: [['224.0.0.0', 4]], ipv6: [['ff00::', 8]] },
  // Teredo, ORCHID and other assignments of protocols, and the two ends of 6to4: they lead to an IPv4 address that stands inside.
  { name: 'Teredo', source: 'RFC 4380', ipv4: [], ipv6: [['2001::', 32]] },
  { name: '6to4', source: 'RFC 3056, RFC 7526', ipv4: [['192.88.99.0', 24]], ipv6: [['2002::', 16]] },
  {
    name: 'reserved',
    source: 'RFC 6890, RFC 1112, RFC 2928',
    ipv4: [
      ['192.0.0.0', 24],
      ['240.0.0.0', 4],
    ],
    ipv6: [['2001::', 23]],
  },
];

/** Where IPv6 has addresses of the public internet: global unicast (RFC 4291), and NAT64's well-known prefix (RFC 6052). */
const PUBLIC_IPV6 = listOf({
  ipv4: [],
  ipv6: [
    ['2000::', 3],
    ['64:ff9b::', 96],
  ],
});

const LISTS = RANGES.map((range) => ({ ...range, list: listOf(range) }));

/** Says of an address why no connection may be made to it. Null when one may. */
export type AddressGate = (address: string) => string | null;

/** Refuses every address that is not of the public internet, but for what the operator listed. */
export function makeAddressGate(of: {
  readonly allowed: readonly Cidr[];
  readonly mayUseLoopback: boolean;
}): AddressGate {
  const allowed = listOf({
    ipv4: of.allowed.filter(({ family }) => family === 'ipv4').map(({ network, prefix }) => [network, prefix]),
    ipv6: of.allowed.filter(({ family }) => family === 'ipv6').map(({ network, prefix }) => [network, prefix]),
  });
  const loopback = LISTS.find(({ name }) => name === 'loopback')?.list;
  return (address) => {
    const isListed = isIn(allowed, address) || (of.mayUseLoopback && loopback !== undefined && isIn(loopback, address));
    if (isListed) return null;
    const range = LISTS.find(({ list }) => isIn(list, address));
    if (range !== undefined) return range.name;
    return isIP(address) === 4 || isIn(PUBLIC_IPV6, address) ? null : 'reserved';
  };
}

interface Lists {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

/**
 * One list for each family, since Node's would match an IPv4 address by a range of IPv6. An IPv4 range also stands in the IPv6
 * list, in the two forms that lead to it: mapped (RFC 4291), and through NAT64.
 */
function listOf(of: Pick<Range, 'ipv4' | 'ipv6'>): Lists {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [network, prefix] of of.ipv4) {
    lists.ipv4.addSubnet(network, prefix, 'ipv4');
    lists.ipv6.addSubnet(`::ffff:${network}`, 96 + prefix, 'ipv6');
    lists.ipv6.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
  }
  for (const [network, prefix] of of.ipv6) lists.ipv6.addSubnet(network, prefix, 'ipv6');
  return lists;
}

function isIn({ ipv4, ipv6 }: Lists, address: string): boolean {
  // A zone says by which interface, not which address.
  const [plain = ''] = address.split('%');
  return isIP(plain) === 4 ? ipv4.check(plain, 'ipv4') : ipv6.check(plain, 'ipv6');
}
