// Preloaded (`node --import`) into a process that is started with an IPC channel: when its parent goes away, even by SIGKILL,
// the channel closes, and the process ends as if it were asked to. Plain JavaScript: a launcher of a package has no other.

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
