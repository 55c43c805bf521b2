/** Files and directories that are watched: by the fs namer, dtab files, the resolver's files, certificates. */
export { type DirectoryEntry, type DirectoryListing, watchDirectory } from './directory.ts';
export { watchedDirectories } from './directory-events.ts';
export { type DirectoryNames, type WatchNamesOptions, watchDirectoryNames } from './directory-names.ts';
export { DEFAULT_MAX_BYTES, type FileContent, type WatchFileOptions, watchFile } from './file.ts';
