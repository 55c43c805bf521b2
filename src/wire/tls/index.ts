/** TLS of the control side's servers and clients: the keys of a config, and contexts whose certificate files are watched. */
export { ClientTls } from './client.ts';
export { type ClientTlsConfig, clientTlsSchema, type ServerTlsConfig, serverTlsSchema } from './config.ts';
export { certificateNames, peerNames } from './peer-names.ts';
export { ServerTls } from './server.ts';
