// The `namerd` command: the control service that serves dtabs to a fleet. This release does not contain it.

/** EX_UNAVAILABLE of sysexits.h. */
const EXIT_UNAVAILABLE = 69;

process.stderr.write('namerd: this release does not contain namerd yet\n');
process.exitCode = EXIT_UNAVAILABLE;
