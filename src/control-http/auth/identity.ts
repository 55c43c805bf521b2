/** Who asks, and what they may do. */

export interface Identity {
  /** The name that authentication vouches for; undefined where nobody is asked for one. */
  readonly name: string | undefined;
  mayRead(namespace: string): boolean;
  mayWrite(namespace: string): boolean;
  /** What is no namespace's, but the process': stopping it, log levels. */
  readonly mayControl: boolean;
  /** The token that it was proven by was taken back: what it has open is to end. */
  readonly isRevoked: boolean;
}

/** Without authentication everybody may do everything. */
export const ANYBODY: Identity = {
  name: undefined,
  mayRead: () => true,
  mayWrite: () => true,
  mayControl: true,
  isRevoked: false,
};

export interface Grant {
  readonly name: string;
  readonly read?: readonly string[] | undefined;
  readonly write?: readonly string[] | undefined;
}

/** The identity of whoever has proven all of these names: each grant for one of them counts. */
export function identityOf(names: readonly string[], grants: readonly Grant[]): Identity {
  const own = grants.filter(({ name }) => name === '*' || names.includes(name));
  const write = own.flatMap((grant) => grant.write ?? []);
  const read = [...write, ...own.flatMap((grant) => grant.read ?? [])];
  return {
    // Of several names, the one that was granted something by name.
    name: names.find((name) => own.some((grant) => grant.name === name)) ?? names[0],
    mayRead: (namespace) => read.some((pattern) => matches(pattern, namespace)),
    mayWrite: (namespace) => write.some((pattern) => matches(pattern, namespace)),
    mayControl: write.includes('*'),
    isRevoked: false,
  };
}

function matches(pattern: string, namespace: string): boolean {
  return pattern.endsWith('*') ? namespace.startsWith(pattern.slice(0, -1)) : namespace === pattern;
}
