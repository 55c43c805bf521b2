/** The hosts file, hosts(5): `127.0.1.1 web.example.com web  # comment`. */
import { isIP } from 'node:net';

export class HostsFile {
  static readonly empty = new HostsFile(new Map());

  readonly #addresses: ReadonlyMap<string, readonly string[]>;

  private constructor(addresses: ReadonlyMap<string, readonly string[]>) {
    this.#addresses = addresses;
  }

  /** Lines that say nothing are passed over, as the C library does. */
  static parse(text: string): HostsFile {
    const addresses = new Map<string, string[]>();
    for (const line of text.split('\n')) {
      const [address = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/);
      if (isIP(address) === 0) continue;
      for (const name of names) {
        const key = name.toLowerCase();
        const known = addresses.get(key);
        if (known === undefined) addresses.set(key, [address]);
        else known.push(address);
      }
    }
    return new HostsFile(addresses);
  }

  /** IPv4 addresses if there are any, else IPv6 ones; undefined for a host that is not in the file. */
  get(host: string): readonly string[] | undefined {
    const all = this.#addresses.get(host.toLowerCase().replace(/\.$/, ''));
    if (all === undefined) return undefined;
    const v4 = all.filter((address) => isIP(address) === 4);
    return v4.length > 0 ? v4 : all;
  }
}
