/** Why a program could not start, in words that say what to do about it. */

/** A reason that the user can mend; the message is all there is to print. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already; stop it or choose another port',
  EACCES: 'this user may not listen on that port; choose one above 1023 or grant CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine has no such address',
};

/** `key` is the port's in the config, `code` the system's. */
export function cannotListen(configPath: string, key: string, host: string, port: number, code: string): StartError {
  const reason = LISTEN_FAILURES[code] ?? code;
  return new StartError(`${configPath}: ${key}: can't listen on ${host}:${port}: ${reason}`);
}

/** Awaits a server's `listen`; what fails becomes a StartError that names the key, unless it is one already. */
export async function listenOrExplain<Bound>(
  listening: Promise<Bound>,
  { configPath, key, host, port }: { configPath: string; key: string; host: string; port: number },
): Promise<Bound> {
  try {
    return await listening;
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw cannotListen(configPath, key, host, port, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}
