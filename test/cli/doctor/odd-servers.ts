import { createServer, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

export interface OddServer extends AsyncDisposable {
  readonly port: number;
}

/** The storage behind a port of this machine, whose every answer is dated so much earlier. */
export async function lateStorage(behind: number, byMs: number): Promise<OddServer> {
  const server = createServer((asked, answer) => {
    const options = { port: behind, host: '127.0.0.1', method: asked.method, path: asked.url, headers: asked.headers };
    const passed = request(options, (answered) => {
      const date = new Date(Date.parse(answered.headers.date ?? '') - byMs).toUTCString();
      answer.writeHead(answered.statusCode ?? 502, { ...answered.headers, date });
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  return await listen(server, () => server.closeAllConnections());
}

/** Takes connections and never says a word. */
export async function silentServer(): Promise<OddServer> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => sockets.add(socket.on('error', () => {})));
  return await listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

async function listen(server: Server, disconnect: () => void): Promise<OddServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      disconnect();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
