// The `namerctl` command: edits the dtabs that namerd serves. This release does not contain it.

/** EX_UNAVAILABLE of sysexits.h. */
const EXIT_UNAVAILABLE = 69;

process.stderr.write('namerctl: this release does not contain namerctl yet\n');
process.exitCode = EXIT_UNAVAILABLE;
