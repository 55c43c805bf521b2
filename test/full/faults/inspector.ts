/** Ends a worker thread of a running process from outside, through node's inspector, which SIGUSR1 opens. */
import type { ServingProgram } from '../../support/serving-program.ts';

interface Message {
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly workerInfo?: { readonly title: string } };
}

/** The first data-plane worker that is found. */
export async function endWorker(program: ServingProgram): Promise<void> {
  program.kill('SIGUSR1');
  const address = await addressOf(program);
  const socket = new WebSocket(address);
  const send = (id: number, method: string, params: object) => socket.send(JSON.stringify({ id, method, params }));
  await new Promise<void>((resolve, reject) => {
    socket.onerror = () => reject(new Error(`the inspector at ${address} does not answer`));
    socket.onopen = () => send(1, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
    let isSent = false;
    socket.onmessage = ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as Message;
      if (method !== 'NodeWorker.attachedToWorker' || params === undefined || isSent) return;
      isSent = true;
      // In a worker this ends the thread alone.
      const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(1)' } });
      send(2, 'NodeWorker.sendMessageToWorker', { sessionId: params.sessionId, message });
    };
    void program.exited.then(() => reject(new Error('the process has ended')));
    socket.onclose = () => resolve();
    setTimeout(() => socket.close(), 500);
  });
}

async function addressOf(program: ServingProgram): Promise<string> {
  for (;;) {
    const found = /Debugger listening on (ws:\S+)/.exec(program.errorsSoFar());
    if (found?.[1] !== undefined) return found[1];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
