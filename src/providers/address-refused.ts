/** No connection was made: the provider's host has an address that must not be called. Its message is told to callers. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';

  /** `range` is what the address is, such as "loopback". The address itself is for the operator's log only. */
  constructor(range: string) {
    super(
      `The provider's host has an address that must not be called (${range}): ALLOW_PRIVATE_UPSTREAMS does not list it.`,
    );
  }
}
