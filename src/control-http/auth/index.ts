/** Authentication and authorization on the control side; off unless the config has `auth`. */
export { Authenticator, type Credentials } from './authenticator.ts';
export { type AuthConfig, authSchema, checkProvable } from './config.ts';
export { ANYBODY, type Identity } from './identity.ts';
export { isLoopback, warnIfOpen } from './open-listener.ts';
export { parseTokens } from './tokens.ts';
