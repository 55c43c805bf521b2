/** Where a program keeps what outlives it. */

/** The folder that systemd gives to a service (StateDirectory= of systemd.exec(5); of several the first), else the usual one. */
export function stateDirectory(usual: string, env: NodeJS.ProcessEnv = process.env): string {
  return env['STATE_DIRECTORY']?.split(':')[0] || usual;
}
