/** The default values of namerd.yaml that are not those of linkerd.yaml (src/config/defaults.ts). */

/** 1.7.5. */
export const adminPort = 9991;
/** The embedded storage. 1.7.5 asks for one. */
export const storageKind = 'io.l5d.sqlite';
