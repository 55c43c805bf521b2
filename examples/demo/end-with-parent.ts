// Preloaded (`node --import`) into every process that the demo starts: when the demo goes away, even by SIGKILL, the
// IPC channel to it closes, and the process ends as if it were asked to.

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
